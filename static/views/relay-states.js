// What a relay's state is called, and looks like, wherever it is shown.

/** The states that only the person can end. */
export const NEEDS_ANSWER = new Set(["needs-consent", "needs-invite", "refused"]);

const WORDS = {
  live: "live", connecting: "connecting", polling: "every 30 s", offline: "offline",
  "needs-consent": "asks you", "needs-invite": "wants an invite code", refused: "refused",
};
const CLASSES = { live: "live", connecting: "connecting", polling: "connecting" };

export function showState(badge, state) {
  badge.className = `live-indicator ${CLASSES[state] ?? "offline"}`;
  badge.textContent = stateWord(state);
}

export const stateWord = (state) => WORDS[state] ?? WORDS.offline;
