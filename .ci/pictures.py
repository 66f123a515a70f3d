"""Takes a picture of every view and state: `make pictures`, into the folder pictures/, which git ignores.

Each is taken as a phone, a tablet and a desktop show it, light and dark, and is named size-theme-state.png. On the way each is looked
at by axe-core (make axe) and for what is wider than the screen; what they find is printed, and the exit status is 1 then.

    pictures.py [--only PATTERN] [FOLDER]    only those whose name it is found in; the other sizes are narrow, landscape, zoomed, large
    pictures.py --firefox                    the same in Firefox, with a mouse and scroll bars, and without axe; "large" is not to be had
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from test_relay import (
    AXE,
    OVERFLOWING,
    Browser,
    Clock,
    Firefox,
    FirefoxPage,
    Page,
    Person,
    RunningRelay,
    connected_to,
    envelope,
    findings,
    goes_to,
    loses_relay,
    opens_menu,
    photo,
    picks,
    records,
    right_clicks,
    running_chromium,
    running_firefox,
    token_of,
    write,
)

SIZES = {  # width, height, pixels to one of CSS, text in percent
    "phone": (390, 844, 2, 100),
    "tablet": (820, 1180, 1, 100),
    "desktop": (1280, 800, 1, 100),
    "narrow": (320, 640, 1, 100),
    "landscape": (844, 390, 1, 100),
    "zoomed": (320, 200, 1, 100),  # a desktop at 400 %
    "large": (390, 844, 1, 200),
}
USUAL = "^(phone|tablet|desktop)-"
THEMES = ("light", "dark")
SAID_LAST = "Perfect. I bring the coffee and the dog"
HOUR = 3600
PEOPLE = {  # name, hours since they wrote, whether verified, what they wrote
    "Sofia": (0, False, []),
    "Old Nokia of Kim with a really long name": (190, False, ["Is it still on?"]),
    "Yusuf عبد الله": (76, False, ["שלום also to Noa, she will join with her laptop"]),
    "Jonas (work)": (52, False, ["you have to see this", "really"]),
    "Dad": (2, False, ["Call me back", "It's about the boiler again"]),
    "Priya": (1.6, False, ["Moving your backups tonight?"]),
    "Marie Lindqvist": (
        1,
        True,
        [
            "Unrelated: the **bot** on the NAS broke again:\n```python\ndef on_mail(sender, text):\n    if text.startswith('!status'):\n        reply(sender, check_output(['df', '-h']))\n```",
            "one mount is gone, `df` exits 1 then",
            "\N{PERSON WITH FOLDED HANDS}",
            "Are we still on for Saturday?",
            SAID_LAST,
        ],
    ),
}


class PicturedFirefox(Firefox):
    """Its tabs take what is said to Chromium here."""

    @property
    def tab(self) -> type[FirefoxPage]:
        return PicturedTab


class PicturedTab(FirefoxPage):
    """Does the few things that DevTools are asked for here by WebDriver BiDi, and leaves out what that has no words for."""

    async def call(self, method: str, **params: Any) -> Any:
        match method, params:
            case "Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": ratio}:
                size = {"width": width, "height": height}
                return await super().call("browsingContext.setViewport", viewport=size, devicePixelRatio=ratio)
            case "Emulation.setEmulatedMedia", {"features": [{"value": theme}]}:
                return await self.evaluate(f"theme.choose('{theme}')")
            case "Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y}:
                act = (
                    {"type": DOES[kind], "button": 2}
                    if kind in DOES
                    else {"type": "pointerMove", "x": round(x), "y": round(y)}
                )
                return await self.perform("pointer", act)
            case _ if method[0].islower():
                return await super().call(method, **params)

    async def type(self, text: str) -> None:
        if text in self.KEYS.values():
            return await super().type(text)
        return await self.evaluate(f"document.execCommand('insertText', false, {json.dumps(text)})")


DOES = {"mousePressed": "pointerDown", "mouseReleased": "pointerUp"}


class Scene:
    """One person's page among friends, furnished once for each size and theme."""

    def __init__(self, page: Page, relay: RunningRelay, friends: dict[str, Person], size: str) -> None:
        self.page = page
        self.relay = relay
        self.friends = friends
        self.size = size
        self.other = page  # of whom files come from

    async def opens(self, name: str) -> None:
        """Open the thread with a friend."""
        await self.page.goto(f"{self.relay.url}/chats#chat={self.friends[name].fingerprint}")
        await self.page.shows("#chatThread")
        await self.page.until("document.querySelector('#liveIndicator.live')")

    async def becomes_somebody_new(self) -> None:
        """Look at the page of a newcomer, until the next state."""
        self.page = await self.page.browser.page()
        self.page.expects("")
        await takes_size(self.page, self.size)

    async def rests(self) -> None:
        """Wait until nothing moves and no short-lived line is shown, but one that can be taken back."""
        await self.page.until(
            "!document.querySelector('#toast').checkVisibility() || !document.querySelector('#toastUndo').hidden"
        )
        await self.page.evaluate("new Promise(requestAnimationFrame)")  # what was opened just now has begun to move
        await self.page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished)).then(() => 1)")


State = Callable[[Scene], Awaitable[object]]
STATES: dict[str, State] = {}
ONLY_IN_CHROMIUM: set[str] = set()


def state(function: State) -> State:
    """A state that is pictured; what the function leaves on the page is what is seen. Its name is the picture's."""
    STATES[function.__name__.replace("_", "-")] = function
    return function


def state_in_chromium(function: State) -> State:
    """One that takes more than other browsers do for a driver: half a page, files, a microphone."""
    state(function)
    ONLY_IN_CHROMIUM.add([*STATES][-1])
    return function


@state
async def list_of_chats(scene: Scene) -> None:
    await scene.page.goto(f"{scene.relay.url}/chats")
    await scene.page.shows(".chat-tab")


@state
async def menu_of_the_list(scene: Scene) -> None:
    await list_of_chats(scene)
    await scene.page.click("#listMenuOpen")


@state
async def menu_of_a_row(scene: Scene) -> None:
    await list_of_chats(scene)
    await scene.page.evaluate(
        "document.querySelector('#chatTabs li:nth-child(3) a').dispatchEvent(new MouseEvent('contextmenu', { bubbles: true }))"
    )


@state
async def row_pushed_aside(scene: Scene) -> None:
    await list_of_chats(scene)
    await scene.page.evaluate("document.querySelector('#chatTabs li:nth-child(3)').scrollBy(999, 0)")


@state
async def search_in_the_list(scene: Scene) -> None:
    await list_of_chats(scene)
    await scene.page.fill("#listSearch", "ma")
    await scene.page.shows("#messagesFound")


@state
async def archive(scene: Scene) -> None:
    await list_of_chats(scene)
    for name in ("Sofia", "Priya"):
        await names(scene.page, scene.friends[name], open=False)
    await scene.page.click("#archived > summary")


@state
async def undo(scene: Scene) -> None:
    for name in ("Sofia", "Priya"):
        await names(scene.page, scene.friends[name], open=True)
    await list_of_chats(scene)
    await scene.page.evaluate("document.querySelector('#chatTabs li:nth-child(8) [data-do=archive]').click()")
    await scene.page.shows("#toastUndo")


@state
async def thread(scene: Scene) -> None:
    await scene.opens("Marie Lindqvist")


@state
async def thread_with_something_new(scene: Scene) -> None:
    await scene.opens("Dad")


@state
async def menu_of_a_chat(scene: Scene) -> None:
    await scene.opens("Marie Lindqvist")
    await scene.page.click("#threadMenuOpen")


@state
async def menu_of_a_message(scene: Scene) -> None:
    await scene.opens("Marie Lindqvist")
    await opens_menu(scene.page, SAID_LAST)


@state
async def info(scene: Scene) -> None:
    await menu_of_a_message(scene)
    await scene.page.click("#messageMenu [data-action=info]")


@state
async def react(scene: Scene) -> None:
    await menu_of_a_message(scene)
    await scene.page.click("#messageMenu [data-action=react]")


@state
async def forward(scene: Scene) -> None:
    await menu_of_a_message(scene)
    await scene.page.click("#messageMenu [data-action=forward]")


@state
async def answer(scene: Scene) -> None:
    await menu_of_a_message(scene)
    await scene.page.click("#messageMenu [data-action=reply]")
    await scene.page.drafts("Tell the dog that I have a seat for her.\nAnd a blanket.")


@state
async def search_in_a_chat(scene: Scene) -> None:
    await scene.opens("Marie Lindqvist")
    await scene.page.click("#threadMenuOpen")  # the head has no room for its button everywhere
    await scene.page.click("#rowMenu [data-do=search]")
    await scene.page.fill("#chatSearch", "the")
    await scene.page.shows("#chatSearchCount", "of")


@state
async def request(scene: Scene) -> None:
    await list_of_chats(scene)
    await scene.page.click(".chat-row", "New: ")
    await scene.page.shows("#requestBar")


@state
async def not_sent(scene: Scene) -> None:
    await scene.friends["Priya"].call("DELETE", "/v1/me")
    await scene.opens("Priya")
    await scene.page.says("Moving them at ten, then. Is that too late?")
    await scene.page.says("On my way")
    await scene.page.until("document.querySelectorAll('.chat-failure').length > 1")


@state
async def list_with_not_sent(scene: Scene) -> None:
    await list_of_chats(scene)


@state_in_chromium
async def files_to_send(scene: Scene) -> None:
    await talks_with_another_page(scene)
    folder = Path(tempfile.mkdtemp(dir=scene.relay.folder))
    paper = folder / "Tickets and the hut's key code, please read before Saturday.pdf"
    await asyncio.to_thread(paper.write_bytes, bytes(23_000))
    shapes = [(1200, 900), (900, 1200), (1000, 1000)]
    photos = [await photo(scene.page, folder / f"{n}.jpg", *shape) for n, shape in enumerate(shapes)]
    await picks(scene.page, *photos, paper)
    await scene.page.fill("#filesText", "From the last time we were there")


@state_in_chromium
async def files_sent(scene: Scene) -> None:
    await scene.page.click("#filesSend")
    await scene.page.until("document.querySelectorAll('.chat-album .loaded').length === 3")
    await scene.page.until("document.querySelector('#chatMessages').scrollBy(0, 9999), !document.querySelector('.moving')")


@state_in_chromium
async def voice_being_recorded(scene: Scene) -> None:
    await records(scene.page)


@state_in_chromium
async def voice_to_hear(scene: Scene) -> None:
    await scene.page.click("#voiceStop")
    await scene.page.shows("#voicePreview .voice-play:enabled")


@state_in_chromium
async def voice_and_files_both_ways(scene: Scene) -> None:
    await scene.page.click("#voiceSend")
    await scene.page.shows(".chat-line-out .voice-play:enabled")
    await scene.other.shows(".chat-file.file")
    await right_clicks(scene.other, ".chat-line:has(.chat-file.file)")
    await scene.other.click("#messageMenu [data-action=reply]")
    await scene.other.says("Thanks! I print it.")
    await right_clicks(scene.other, ".chat-line:has(.file-picture)")
    await scene.other.click("#messageMenu [data-action=reply]")
    await scene.other.says("That was in the morning")
    await records(scene.other)
    await scene.other.click("#voiceSend")
    await scene.page.shows(".chat-line-in .voice-play:enabled")


@state_in_chromium
async def answer_to_a_picture(scene: Scene) -> None:
    await right_clicks(scene.page, ".chat-line:has(.file-picture)")
    await scene.page.click("#messageMenu [data-action=reply]")


@state_in_chromium
async def delete_for_both(scene: Scene) -> None:
    await scene.page.key("Escape")
    await right_clicks(scene.page, ".chat-line:has(.chat-file.file)")
    await scene.page.click("#messageMenu [data-action=delete-both]")
    await scene.page.shows("#confirmDialog")


@state_in_chromium
async def file_whose_deletion_was_refused(scene: Scene) -> None:
    await scene.page.click("#confirmCancel")
    token = await token_of(scene.other)
    await scene.other.call("Page.close")
    await scene.relay.call("DELETE", "/v1/me", token=token)
    await right_clicks(scene.page, ".chat-line:has(.chat-file.file)")
    await scene.page.click("#messageMenu [data-action=delete-both]")
    await scene.page.click("#confirmOk")
    await scene.page.shows(".chat-line.event", "was not told")
    await scene.page.shows(".chat-file.file.ended")
    await scene.page.evaluate("document.querySelector('.chat-file.ended').scrollIntoView({ block: 'center' })")


@state
async def nothing_found_in_the_list(scene: Scene) -> None:
    await list_of_chats(scene)
    await scene.page.fill("#listSearch", "zebra")
    await scene.page.shows("#nothingFound")


@state
async def nothing_found_in_a_chat(scene: Scene) -> None:
    await scene.opens("Marie Lindqvist")
    await scene.page.click("#threadMenuOpen")
    await scene.page.click("#rowMenu [data-do=search]")
    await scene.page.fill("#chatSearch", "zebra")
    await scene.page.until("document.querySelector('#chatSearchCount').textContent")


@state
async def nothing_found_in_the_library(scene: Scene) -> None:
    await scene.page.goto(f"{scene.relay.url}/library")
    await scene.page.fill("#librarySearch", "zebra")
    await scene.page.shows("#libraryPageInfo", "0 of 0")


@state
async def blocked(scene: Scene) -> None:
    await names(scene.page, scene.friends["Sofia"], blocked=True)
    await settings(scene)
    await scene.page.evaluate("document.querySelector('#settingsDialog').scrollTo(0, 9999)")


@state
async def question_about_blocking(scene: Scene) -> None:
    await scene.opens("Jonas (work)")
    await scene.page.click("#threadMenuOpen")
    await scene.page.click("#rowMenu [data-do=block]")


@state
async def backup(scene: Scene) -> None:
    await presses(scene, "keys", "#exportBackup")


@state
async def backup_to_open(scene: Scene) -> None:
    await presses(scene, "keys", "#importBackup")


@state_in_chromium
async def keys_that_help(scene: Scene) -> None:
    await list_of_chats(scene)
    await scene.page.evaluate("document.activeElement.blur()")
    await scene.page.key("?")


async def presses(scene: Scene, view: str, button: str) -> None:
    """Open a view, and press a button there."""
    await scene.page.goto(f"{scene.relay.url}/{view}")
    await scene.page.has_keys()
    await scene.page.evaluate(f"document.querySelector('{button}').click()")


async def talks_with_another_page(scene: Scene) -> None:
    """Open a chat with somebody who has this client, too."""
    scene.other = await scene.page.browser.page(size=(1280, 800))
    await scene.other.goto(f"{scene.relay.url}/newchat")
    await scene.other.has_keys()
    await scene.other.until("document.querySelector('#liveIndicator.live')")
    scene.other.expects("")
    await scene.page.goto(f"{scene.relay.url}/newchat")
    await scene.page.has_keys()
    await scene.page.evaluate(f"openChatFp.value = '{scene.other.fingerprint}', openChatForm.requestSubmit()")
    await scene.page.shows("#chatThread")
    await scene.page.says("Are you coming along to the hut?")
    await scene.other.click(".chat-tab-label")
    await scene.other.sees("Are you coming along to the hut?")
    await scene.other.says("Of course! What do I need?")
    await scene.page.sees("Of course! What do I need?")
    await names(scene.page, scene.other, name="Noor")


@state
async def welcome(scene: Scene) -> None:
    await scene.becomes_somebody_new()
    await scene.page.goto(f"{scene.relay.url}/newchat")
    await scene.page.has_keys()


@state
async def question(scene: Scene) -> None:
    await welcome(scene)
    await scene.page.evaluate("document.querySelector('#newKeys').click()")


@state_in_chromium
async def opening(scene: Scene) -> None:
    await scene.becomes_somebody_new()
    await scene.page.call("Fetch.enable", patterns=[{"urlPattern": "*/client.js"}])  # which nobody lets go on
    await scene.page.call("Page.navigate", url=link_of(scene))
    await scene.page.shows("#guestTitle", "Opening")


@state
async def guest(scene: Scene) -> None:
    await scene.becomes_somebody_new()
    await scene.page.goto(link_of(scene))
    await scene.page.shows("#guestTitle", "invited you")
    await scene.page.until("document.querySelector('#liveIndicator.live')")


def link_of(scene: Scene) -> str:
    """An invite of Marie's."""
    return (
        f"{scene.relay.url}/chats#chat={scene.friends['Marie Lindqvist'].fingerprint}&server={scene.relay.url}&name=Marie"
    )


@state
async def contact(scene: Scene) -> None:
    await scene.opens("Marie Lindqvist")
    await scene.page.click("#contactOpen")
    await scene.page.shows("#safetyQr svg")


@state
async def contact_end(scene: Scene) -> None:
    await contact(scene)
    await scene.page.click("#contactDetails > summary")
    await scene.page.evaluate("document.querySelector('#contactDialog').scrollTo(0, 9999)")


@state
async def settings(scene: Scene) -> None:
    await presses(scene, "about", "#settingsOpen")


async def me(scene: Scene) -> None:
    await scene.page.goto(f"{scene.relay.url}/me")
    await scene.page.until("document.querySelector('#liveIndicator.live')")


def view(name: str) -> State:
    async def shown(scene: Scene) -> None:
        await scene.page.goto(f"{scene.relay.url}/{name}")
        await scene.page.shows(f"#view-{name}")
        await scene.page.until("document.querySelector('#liveIndicator.live')")

    return shown


STATES |= {"me": me} | {name: view(name) for name in ("newchat", "library", "keys", "server", "about")}


@state
async def no_connection(scene: Scene) -> None:
    """The last: nothing is to be had from the relay after it."""
    await scene.opens("Dad")
    await loses_relay(scene.page, scene.relay)
    await scene.page.says("I am on the train")
    await scene.page.shows("#banner")


async def furnish(page: Page, relay: RunningRelay, clock: Clock, size: str) -> Scene:
    """Friends who wrote at their times, with names; one thread muted, one draft, one with answers and reactions."""
    friends: dict[str, Person] = {}
    now = clock.seconds
    for name, (hours, verified, texts) in sorted(PEOPLE.items(), key=lambda each: -each[1][0]):
        friends[name] = friend = await relay.register()
        clock.seconds = now - hours * HOUR
        await page.opens(friend.fingerprint)
        await names(page, friend, name=name, verified=verified, muted=name.startswith("Jonas"))
        if texts:
            await says(friend, page, clock, *texts)
            await page.sees(texts[-1])
    clock.seconds = now
    await remembers(page, friends["Marie Lindqvist"], now)
    await page.says("Yes! Train at 09:14, platform 7")
    await page.says("I have both tickets")
    await page.has_relayed(2)
    await page.opens(friends["Old Nokia of Kim with a really long name"].fingerprint)
    await page.drafts("Are you still using that")
    await names(page, friends["Marie Lindqvist"], pinned=True)
    await goes_to(page, "about")
    await write(friends["Dad"], page, "And bring the ladder")
    await write(friends["Jonas (work)"], page, "you have to see this")
    await write(await relay.register(), page, "hey, got your address from Marie. is this the right one?")
    await page.until("document.querySelectorAll('.chat-tab.unread').length === 3")
    return Scene(page, relay, friends, size)


async def says(friend: Person, page: Page, clock: Clock, *texts: str) -> None:
    """Write by the friend's clock, which is the relay's."""
    for text in texts:
        await friend.send(page, envelope(friend, page, text=text, ts=int(clock.seconds * 1000)))


async def names(page: Page, friend: Person, **fields: object) -> None:
    """Give a contact a name and marks, as their panel does."""
    await page.evaluate(f"""(async () => {{
        const [{{ Database }}, {{ Store }}] = await Promise.all([import("/store/database.js"), import("/store/store.js")]);
        await new Store(await Database.open()).updateContact("{friend.fingerprint}", {json.dumps(fields)});
    }})()""")


async def remembers(page: Page, friend: Person, now: float) -> None:
    """Give a thread an answer and reactions, as two clients of today would have made them, and days and states between."""
    await page.evaluate(f"""(async () => {{
        const [{{ Database, result }}, {{ Store }}] = await Promise.all([import("/store/database.js"), import("/store/store.js")]);
        const [db, contact, now] = [await Database.open(), "{friend.fingerprint}", {now * 1000}];
        await db.write(["contacts", "messages"], async ({{ contacts, messages }}) => {{
            const of = (await result(messages.getAll())).filter((message) => message.contact === contact);
            const {{ seq, ...last }} = {{ ...of[4], envelope_id: "5".repeat(32), at: now - 60_000 }};
            const own = {{ ...of[0], direction: "out", state: "relayed", relay_id: 1, delivered_at: now }};
            const reactions = [{{ by: contact, emoji: "\ud83d\ude4f", id: "1", ts: now }}, {{ by: "me", emoji: "\ud83d\ude02", id: "2", ts: now }}];
            messages.put({{ ...own, at: now - 86_400_000 }});
            messages.put({{ ...of[1], at: now - 86_000_000, reactions }});
            messages.put({{ ...of[2], at: now - 85_900_000 }});
            const text = "Yes! Train at 09:14, platform 7";
            messages.put({{ ...own, seq: of[4].seq, text, read_at: now, at: of[4].at, re: {{ of: of[3].envelope_id, quote: of[3].text, mine: false }} }});
            const last_seq = await result(messages.add(last));
            contacts.put({{ ...(await result(contacts.get(contact))), devices: 1, last_seq, last_at: last.at }});
        }});
    }})()""")


@contextlib.asynccontextmanager
async def closing(relay: RunningRelay) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await relay.close()


async def pictures(folder: Path, only: str, firefox: bool) -> list[str]:
    """Take those that are wanted; what is wrong with them."""
    wrong: list[str] = []
    engine = PicturedFirefox if firefox else Browser
    with running_firefox() if firefox else running_chromium() as address, tempfile.TemporaryDirectory() as home:
        for size in SIZES:
            clock = Clock()
            relay = RunningRelay(Path(home) / size, {"JWT_EXPIRY_SEC": "9000000"}, clock)
            await relay.start()
            async with closing(relay), connected_to(address, engine) as browser:
                wrong += await picture_all(browser, relay, clock, folder, size, only)
    return wrong


async def picture_all(browser: Browser, relay: RunningRelay, clock: Clock, folder: Path, size: str, only: str) -> list[str]:
    """All states at one size, in both themes; what is wrong with them."""
    states = [name for name in STATES if not (isinstance(browser, Firefox) and name in ONLY_IN_CHROMIUM)]
    wanted = [name for name in states if any(re.search(only, f"{size}-{theme}-{name}") for theme in THEMES)]
    if not wanted:
        return []
    now = clock.seconds
    clock.seconds -= 200 * HOUR
    page = await browser.person(relay, size=(1280, 800))
    clock.seconds = now
    page.expects("")
    await page.call("Emulation.setLocaleOverride", locale="en-GB")
    scene = await furnish(page, relay, clock, size)
    await takes_size(page, size)
    wrong = []
    for name in wanted:
        scene.page = page
        await STATES[name](scene)
        for theme in THEMES:
            wrong += await picture(scene, folder / f"{size}-{theme}-{name}.png", theme)
    return wrong


async def takes_size(page: Page, size: str) -> None:
    """Have the screen, the text and the finger or mouse of that size."""
    width, height, scale, text = SIZES[size]
    touch = size not in ("desktop", "zoomed")
    await page.call("Emulation.setTouchEmulationEnabled", enabled=touch)
    metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": touch and size != "tablet"}
    await page.call("Emulation.setDeviceMetricsOverride", **metrics)
    await page.call("Emulation.setScrollbarsHidden", hidden=True)
    larger = f"addEventListener('DOMContentLoaded', () => (document.documentElement.style.fontSize = '{text}%'))"
    await page.call("Page.addScriptToEvaluateOnNewDocument", source=larger)


async def picture(scene: Scene, path: Path, theme: str) -> list[str]:
    """Take one; what is wrong with it."""
    await scene.page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    await scene.rests()
    await scene.page.screenshot(path)
    found = await findings(scene.page, AXE.read_text()) if AXE.exists() and type(scene.page) is Page else []
    wide = await scene.page.evaluate(OVERFLOWING)
    wrong = [f"{path.stem}: {each}" for each in found + [f"wider than the screen: {each}" for each in wide]]
    print(path, *wrong, sep="\n  ", flush=True)
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parents[1] / "pictures")
    parser.add_argument("--only", default=USUAL)
    parser.add_argument("--firefox", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    if asyncio.run(pictures(options.folder, options.only, options.firefox)):
        sys.exit(1)


if __name__ == "__main__":
    main()
