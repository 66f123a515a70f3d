/** Every error a person can meet. `message` is a whole sentence that says what to do; errors are told apart by class only. */

export class ClientError extends Error {
  constructor(message, fields = {}) {
    super(message);
    this.name = new.target.name;
    Object.assign(this, fields);
  }
}

/** `origin`: the relay; `status`: of HTTP, 0 where none came. */
export class RelayError extends ClientError {
  constructor(message, { origin = "", status = 0, ...fields } = {}) {
    super(message, { origin, status, ...fields });
  }
}

export class NetworkError extends RelayError {}
export class TooSlowError extends NetworkError {}
export class BadAnswerError extends RelayError {}
export class AnswerTooLargeError extends BadAnswerError {}
export class LoginNeededError extends BadAnswerError {}
export class UnauthorizedError extends RelayError {}
export class ForbiddenError extends RelayError {}
export class NotFoundError extends RelayError {}
export class TooLargeError extends RelayError {}
export class RateLimitedError extends RelayError {}
export class MailboxFullError extends RelayError {}
export class ServerError extends RelayError {}
export class RejectedError extends RelayError {}

/** These need the person: a question, a code, or a refusal. */
export class OlderProofError extends RelayError {}
export class InviteNeededError extends RelayError {}
export class RelayKeyError extends RelayError {}
/** `server_public_key`: the one presented now. */
export class RelayKeyChangedError extends RelayError {}
/** `known`: the relay of ours that has this key. */
export class SameRelayError extends RelayKeyError {}
export class RelayAddressError extends ClientError {}
export class UnknownRelayError extends ClientError {}
export class HomeRelayError extends ClientError {}

export class AddressError extends ClientError {}
export class SelfChatError extends ClientError {}
export class NobodyFoundError extends ClientError {}
export class SeveralFoundError extends ClientError {}
export class WrongKeyError extends ClientError {}
export class WeakKeyError extends ClientError {}

export class NameError extends ClientError {}
export class EmptyMessageError extends ClientError {}
export class MessageTooLongError extends ClientError {}
export class FileSizeError extends ClientError {}
export class UnreadableFileError extends ClientError {}
export class NotYetError extends ClientError {}
export class UnchangeableError extends ClientError {}
export class BlockedContactError extends ClientError {}
export class UnknownContactError extends ClientError {}

export class StorageError extends ClientError {}
/** Another tab changed the keys or left the relay meanwhile: drop the work, nothing is lost. */
export class OutdatedTabError extends ClientError {}

export class EncodingError extends ClientError {}
export class OutOfMemoryError extends ClientError {}
export class WeakPassphraseError extends ClientError {}
export class WrongPassphraseError extends ClientError {}
export class NotABackupError extends ClientError {}
export class NewerBackupError extends ClientError {}
export class DamagedBackupError extends ClientError {}
export class AbortError extends ClientError {}
