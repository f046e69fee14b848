//! What makes a call pleasant beside sound and pictures: hands, reactions, people, keys (M9, M10).

use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join;
use serde_json::{Value, json};
use thirtyfour::Key;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Devices, Kind, Look, Permission, Room, Stage, in_each, staged, until};

/// The other browser: what one does is seen in both.
const fn other(kind: Kind) -> Kind {
    match kind {
        Kind::Chromium => Kind::Firefox,
        Kind::Firefox => Kind::Chromium,
    }
}

/// Ada in the browser in question, Bob in the other one, connected.
async fn two(stage: &Stage, kind: Kind, room: &Room) -> Result<[Rc<Browser>; 2]> {
    stage.serve().await?;
    let (ada, bob) = try_join(stage.browser(kind), stage.browser(other(kind))).await?;
    ada.enter(stage, room, "Ada").await?;
    bob.enter(stage, room, "Bob").await?;
    try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;
    Ok([ada, bob])
}

/// Waits until a script returns this.
async fn returns(browser: &Browser, what: &str, script: &str, wanted: Value) -> Result<()> {
    until(&format!("{}: {what}", browser.label), SOON, async || {
        let now = browser.script(script, Vec::new()).await?;
        Ok(Look::when(now == wanted, || now.to_string()))
    })
    .await
}

/// Waits until the tile of somebody has a mark, or has it no more.
async fn see_mark(browser: &Browser, name: &str, mark: &str, is_there: bool) -> Result<()> {
    let script = format!(
        "return document.querySelector('.stage > article[aria-label=\"{name}\"] [role=img][aria-label=\"{mark}\"]') !== null;"
    );
    returns(
        browser,
        &format!("{mark} of {name}: {is_there}"),
        &script,
        json!(is_there),
    )
    .await
}

/// The panel of people from the top: names.
const LISTED: &str =
    "return [...document.querySelectorAll('.people > li .person-name')].map((name) => name.textContent);";

/// All that is in live regions, seen or only said.
const SAID: &str =
    "return [...document.querySelectorAll('[role=status]')].map((region) => region.textContent).join(' ');";

async fn hear_said(browser: &Browser, part: &str) -> Result<()> {
    until(
        &format!("{}: \"{part}\" is said", browser.label),
        SOON,
        async || {
            let said = browser.script(SAID, Vec::new()).await?;
            let said = said.as_str().unwrap_or_default().to_owned();
            Ok(Look::when(said.contains(part), || said))
        },
    )
    .await
}

async fn has_focus(browser: &Browser, role: &str, name: &str) -> Result<()> {
    until(
        &format!("{}: focus on {role} \"{name}\"", browser.label),
        SOON,
        async || {
            let Some(element) = browser.find(role, name).await? else {
                return Ok(Look::NotYet("it is not there".into()));
            };
            let script = "return document.activeElement === arguments[0];";
            let focused = browser.script(script, vec![element.to_json()?]).await?;
            Ok(Look::when(focused == true, || "the focus is elsewhere".into()))
        },
    )
    .await
}

/// Takes the focus off every control.
async fn focus_nothing(browser: &Browser) -> Result<()> {
    browser
        .script("document.activeElement?.blur();", Vec::new())
        .await?;
    Ok(())
}

in_each! {
    /// M9: a hand is seen and said at the other end, those who come later see it, and who raised
    /// theirs first is first.
    async fn hand(stage: &Stage, kind: Kind) -> Result<()> {
        let room = Room::new("hand");
        let [ada, bob] = two(stage, kind, &room).await?;
        ada.press("button", "Raise hand").await?;
        ada.see("button", "Lower hand").await?;
        see_mark(&ada, "Ada (you)", "Hand raised", true).await?;
        see_mark(&bob, "Ada", "Hand raised", true).await?;
        hear_said(&bob, "Ada raised a hand").await?;
        bob.press("button", "Raise hand").await?;
        see_mark(&ada, "Bob", "Hand raised", true).await?;

        let cleo = stage.browser(kind).await?;
        cleo.enter(stage, &room, "Cleo").await?;
        see_mark(&cleo, "Ada", "Hand raised", true).await?;
        see_mark(&cleo, "Bob", "Hand raised", true).await?;
        cleo.press("button", "People").await?;
        returns(&cleo, "Ada before Bob", LISTED, json!(["Ada", "Bob", "Cleo (you)"])).await?;
        ada.press("button", "Lower hand").await?;
        see_mark(&bob, "Ada", "Hand raised", false).await?;
        see_mark(&cleo, "Ada", "Hand raised", false).await?;
        returns(&cleo, "Bob alone first", LISTED, json!(["Bob", "Cleo (you)", "Ada"])).await?;
        // Again it goes to the end.
        ada.press("button", "Raise hand").await?;
        returns(&cleo, "Ada behind Bob", LISTED, json!(["Bob", "Ada", "Cleo (you)"])).await
    }
}

/// Notes the channels that the page makes.
const WATCH_CHANNELS: &str = r#"
    window.__channels = [];
    const make = RTCPeerConnection.prototype.createDataChannel;
    RTCPeerConnection.prototype.createDataChannel = function (...wanted) {
        const channel = make.apply(this, wanted);
        __channels.push(channel);
        return channel;
    };
"#;

in_each! {
    /// M9, C4: a reaction floats over the sender's tile at the other end and goes by itself, on a
    /// channel that repeats nothing.
    async fn reaction(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let room = Room::new("react");
        let (ada, bob) = try_join(stage.browser(kind), stage.browser(other(kind))).await?;
        ada.enter(stage, &room, "Ada").await?;
        ada.script(WATCH_CHANNELS, Vec::new()).await?;
        bob.enter(stage, &room, "Bob").await?;
        try_join(ada.sees_and_hears(1, SOON), bob.sees_and_hears(1, SOON)).await?;
        let options = "const channel = __channels.find((channel) => channel.label === 'reactions' && channel.readyState === 'open');
            return channel ? [channel.id, channel.ordered, channel.maxRetransmits, channel.negotiated, channel.protocol] : null;";
        returns(&ada, "the channel of reactions", options, json!([1, false, 0, true, "reactions"])).await?;

        let floats = |name: &str| format!("return [...document.querySelectorAll('.stage > article[aria-label=\"{name}\"] .reaction')].map((sign) => sign.textContent);");
        ada.press("button", "React").await?;
        ada.see("menu", "React").await?;
        has_focus(&ada, "menuitem", "👍").await?;
        ada.keys(Key::Right).await?;
        has_focus(&ada, "menuitem", "👏").await?;
        ada.press_enter().await?;
        ada.see_gone("menu", "React").await?;
        has_focus(&ada, "button", "React").await?;
        returns(&bob, "a sign over Ada", &floats("Ada"), json!(["👏"])).await?;
        hear_said(&bob, "👏 Ada reacted").await?;
        returns(&bob, "no sign any more", &floats("Ada"), json!([])).await?;
        returns(&ada, "nor over the own tile", &floats("Ada (you)"), json!([])).await?;

        // What somebody else's page could write, and is no reaction.
        ada.script("const channel = __channels.find((channel) => channel.label === 'reactions'); channel.send('🧨'); channel.send('<b>x</b>'); channel.send('🎉');", Vec::new()).await?;
        returns(&bob, "only the reaction", &floats("Ada"), json!(["🎉"])).await
    }
}

/// How loud the others are here.
const LOUDNESS: &str = "return [...document.querySelectorAll('audio')].map((audio) => [audio.volume, audio.muted, audio.paused]);";

/// Moves a slider as a finger does.
const SLIDE: &str =
    "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }));";

in_each! {
    /// M9, M10: the panel of people by the keyboard, and how loud somebody is, also after their reload.
    async fn people(stage: &Stage, kind: Kind) -> Result<()> {
        let room = Room::new("people");
        let [ada, bob] = two(stage, kind, &room).await?;
        let width = "return document.querySelector('.stage').clientWidth;";
        let whole = ada.script(width, Vec::new()).await?.as_f64().context("a width")?;
        let button = ada.see("button", "People").await?;
        button.focus().await?;
        ada.press_enter().await?;
        has_focus(&ada, "heading", "People").await?;
        ada.see("list", "In this call").await?;
        returns(&ada, "who is there", LISTED, json!(["Ada (you)", "Bob"])).await?;
        let left = ada.script(width, Vec::new()).await?.as_f64().context("a width")?;
        ensure!(left < whole - 200.0, "the stage makes room: {whole}, then {left}");
        bob.press("button", "Turn camera off").await?;
        until("the mark of Bob's camera", SOON, async || {
            let marks = ada.script("return [...document.querySelectorAll('.person [role=img]')].map((mark) => mark.getAttribute('aria-label'));", Vec::new()).await?;
            let marks: Vec<String> = serde_json::from_value(marks)?;
            let is_told = ["Camera off", "Direct"].iter().all(|mark| marks.iter().any(|other| other == mark));
            Ok(Look::when(is_told, || format!("{marks:?}")))
        }).await?;

        let slider = ada.see("slider", "Volume of Bob").await?;
        ada.script(SLIDE, vec![slider.to_json()?, json!("30")]).await?;
        returns(&ada, "Bob quieter", LOUDNESS, json!([[0.3, false, false]])).await?;
        ada.press("button", "Mute Bob for me").await?;
        returns(&ada, "Bob silent here", LOUDNESS, json!([[0.3, true, false]])).await?;
        // Another connection has another element.
        ada.script("document.querySelector('audio').id = 'former';", Vec::new()).await?;
        bob.driver().refresh().await?;
        bob.ready().await?;
        bob.room_state("joined").await?;
        ada.wait_for_tile("Bob").await?;
        returns(&ada, "another element", "return [...document.querySelectorAll('audio')].map((audio) => audio.id);", json!([""])).await?;
        returns(&ada, "silent still", LOUDNESS, json!([[0.3, true, false]])).await?;
        ada.press("button", "Unmute Bob for me").await?;
        returns(&ada, "as quiet as before", LOUDNESS, json!([[0.3, false, false]])).await?;
        // The echo canceller knows only what elements play.
        ensure!(ada.open().await?.audio_contexts == 0);

        ada.see("button", "Copy link").await?;
        ada.keys(Key::Escape).await?;
        ada.see_gone("list", "In this call").await?;
        has_focus(&ada, "button", "People").await
    }
}

async fn hold_space(browser: &Browser) -> Result<()> {
    browser.driver().action_chain().key_down(' ').perform().await?;
    Ok(())
}

async fn let_go(browser: &Browser) -> Result<()> {
    browser.driver().action_chain().key_up(' ').perform().await?;
    Ok(())
}

in_each! {
    /// M9: who is muted is heard while Space is held, and no longer when the window loses the keys.
    async fn push_to_talk(stage: &Stage, kind: Kind) -> Result<()> {
        let room = Room::new("talk");
        let [ada, bob] = two(stage, kind, &room).await?;
        ada.press("button", "Mute microphone").await?;
        see_mark(&bob, "Ada", "Microphone off", true).await?;
        // The pointer has left the focus on the button, which is done with.
        hold_space(&ada).await?;
        see_mark(&bob, "Ada", "Microphone off", false).await?;
        let_go(&ada).await?;
        see_mark(&bob, "Ada", "Microphone off", true).await?;
        ada.see("button", "Unmute microphone").await?;

        for event in ["window.dispatchEvent(new Event('blur'));", "Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' }); document.dispatchEvent(new Event('visibilitychange')); delete document.visibilityState; document.dispatchEvent(new Event('visibilitychange'));"] {
            hold_space(&ada).await?;
            see_mark(&bob, "Ada", "Microphone off", false).await?;
            ada.script(event, Vec::new()).await?;
            see_mark(&bob, "Ada", "Microphone off", true).await?;
            let_go(&ada).await?;
        }
        // A Mac says nothing of the bar going up while its command key is held.
        hold_space(&ada).await?;
        see_mark(&bob, "Ada", "Microphone off", false).await?;
        ada.script("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Meta', metaKey: true }));", Vec::new()).await?;
        see_mark(&bob, "Ada", "Microphone off", true).await?;
        let_go(&ada).await?;
        // On a button to which the keys have led Space is a press: it unmutes for good.
        ada.script("document.querySelector('h1').focus();", Vec::new()).await?;
        ada.tab_to("button", "Unmute microphone").await?;
        ada.keys(" ").await?;
        see_mark(&bob, "Ada", "Microphone off", false).await?;
        ada.see("button", "Mute microphone").await.map(drop)
    }
}

in_each! {
    /// M9, WCAG 2.1.4: keys do what the list says, not where one types, and can be turned off.
    async fn shortcuts(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.enter(stage, &Room::new("keys"), "Ada").await?;
        focus_nothing(&ada).await?;
        for (key, then) in [
            ("m", "Unmute microphone"),
            ("m", "Mute microphone"),
            ("v", "Turn camera on"),
            ("v", "Turn camera off"),
            ("h", "Lower hand"),
            ("h", "Raise hand"),
        ] {
            ada.keys(key).await?;
            ada.see("button", then).await?;
        }
        // Each is said: no button had the focus that would have.
        for said in ["Hand raised", "Hand lowered"] {
            ada.keys("h").await?;
            hear_said(&ada, said).await?;
        }
        ada.keys("r").await?;
        ada.see("menu", "React").await?;
        // A menu has the keys for itself.
        ada.keys("h").await?;
        ada.keys(Key::Escape).await?;
        ada.see_gone("menu", "React").await?;
        ada.keys("p").await?;
        has_focus(&ada, "heading", "People").await?;
        ada.keys("p").await?;
        ada.see_gone("list", "In this call").await?;
        ada.see("button", "Raise hand").await?;

        ada.keys("?").await?;
        ada.see("dialog", "Keyboard shortcuts").await?;
        ada.press("switch", "Single-key shortcuts").await?;
        ada.keys(Key::Escape).await?;
        ada.see_gone("dialog", "Keyboard shortcuts").await?;
        focus_nothing(&ada).await?;
        ada.keys("m").await?;
        ada.keys("?").await?;
        // Remembered, and turned on again where a mouse finds it too.
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.room_state("joined").await?;
        ada.see("button", "Mute microphone").await?;
        ada.press("button", "More").await?;
        ada.press("menuitem", "Keyboard shortcuts").await?;
        let single = ada.see("switch", "Single-key shortcuts").await?;
        ensure!(single.attr("aria-checked").await?.as_deref() == Some("false"));
        single.click().await?;
        ada.keys(Key::Escape).await?;
        ada.see_gone("dialog", "Keyboard shortcuts").await?;
        // In a field a letter is a letter.
        ada.see("textbox", "Room link").await?.focus().await?;
        ada.keys("m").await?;
        focus_nothing(&ada).await?;
        ada.keys("h").await?;
        ada.see("button", "Lower hand").await?;
        ensure!(ada.find("button", "Mute microphone").await?.is_some());
        Ok(())
    }
}

/// A wake lock that can be counted, whatever the browser has.
const WATCH_SCREEN: &str = r#"
    window.__awake = { asked: 0, held: 0 };
    Object.defineProperty(navigator, "wakeLock", { configurable: true, value: { async request(type) {
        if (type !== "screen") throw new TypeError(type);
        __awake.asked += 1;
        __awake.held += 1;
        let isHeld = true;
        return { async release() { if (isHeld) { isHeld = false; __awake.held -= 1; } } };
    } } });
"#;

/// The tab goes to the background, as far as the page can tell, or comes back.
async fn hide(browser: &Browser, is_hidden: bool) -> Result<()> {
    let state = if is_hidden { "hidden" } else { "visible" };
    let script = format!(
        "Object.defineProperty(document, 'visibilityState', {{ configurable: true, get: () => '{state}' }});
         document.dispatchEvent(new Event('visibilitychange'));"
    );
    browser.script(&script, Vec::new()).await?;
    Ok(())
}

in_each! {
    /// M9: the screen stays on during a call, is asked for again when the tab comes back, and let go of.
    async fn wake_lock(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let ada = stage.browser(kind).await?;
        ada.open_room(stage, &Room::new("awake")).await?;
        ada.script(WATCH_SCREEN, Vec::new()).await?;
        ada.join("Ada").await?;
        let awake = "return [__awake.asked, __awake.held];";
        returns(&ada, "the screen is held", awake, json!([1, 1])).await?;
        hide(&ada, true).await?;
        hide(&ada, false).await?;
        returns(&ada, "and again", awake, json!([2, 1])).await?;
        ada.leave().await?;
        returns(&ada, "and let go of", awake, json!([2, 0])).await?;
        hide(&ada, true).await?;
        hide(&ada, false).await?;
        returns(&ada, "for good", awake, json!([2, 0])).await
    }
}

in_each! {
    /// The title counts who came and who raised a hand while nobody looked.
    async fn unread(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let room = Room::new("unread");
        let (ada, bob) = try_join(stage.browser(kind), stage.browser(other(kind))).await?;
        ada.enter(stage, &room, "Ada").await?;
        let title = "return document.title;";
        returns(&ada, "nothing new", title, json!("In call: unread · Visavis")).await?;
        hide(&ada, true).await?;
        bob.enter(stage, &room, "Bob").await?;
        returns(&ada, "somebody came", title, json!("(1) In call: unread · Visavis")).await?;
        ada.sees_and_hears(1, SOON).await?;
        bob.press("button", "Raise hand").await?;
        returns(&ada, "and raised a hand", title, json!("(2) In call: unread · Visavis")).await?;
        hide(&ada, false).await?;
        returns(&ada, "seen", title, json!("In call: unread · Visavis")).await
    }
}

in_each! {
    /// M10: where the browser wants a click before it plays sound, one button starts everything.
    async fn blocked_sound(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        // A page that may use a microphone may play in Firefox.
        let mute = Devices { permission: Permission::Refused, ..Devices::default() };
        let (ada, bob) = try_join(stage.browser_with(kind, mute), stage.browser(Kind::Chromium)).await?;
        let room = Room::new("sound");
        bob.enter(stage, &room, "Bob").await?;
        ada.enter(stage, &room, "Ada").await?;
        ada.sees_and_hears(1, SOON).await?;
        // Loaded again it is back in the call without a click.
        ada.driver().refresh().await?;
        ada.ready().await?;
        ada.room_state("joined").await?;
        ada.see("button", "Turn on sound").await?;
        let paused = "return [...document.querySelectorAll('audio')].map((audio) => audio.paused);";
        returns(&ada, "silence", paused, json!([true])).await?;
        ada.press("button", "Turn on sound").await?;
        returns(&ada, "sound", paused, json!([false])).await?;
        ada.see_gone("button", "Turn on sound").await
    }
}

in_each! {
    /// M3: the chosen speaker plays also who comes later.
    async fn speaker_of_who_comes_later(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let room = Room::new("speaker");
        let (ada, bob) = try_join(stage.browser(kind), stage.browser(other(kind))).await?;
        ada.visit(&format!("{}/?lang=en", stage.origin())).await?;
        ada.script("localStorage.setItem('visavis.speaker', 'living room');", Vec::new()).await?;
        ada.open_room(stage, &room).await?;
        ada.script("HTMLMediaElement.prototype.setSinkId = async function (id) { this.__speaker = id; };", Vec::new()).await?;
        ada.join("Ada").await?;
        bob.enter(stage, &room, "Bob").await?;
        let speakers = "return [...document.querySelectorAll('audio')].map((audio) => audio.__speaker ?? null);";
        returns(&ada, "Bob in the living room", speakers, json!(["living room"])).await?;
        bob.leave().await?;
        bob.press("button", "Rejoin").await?;
        bob.room_state("joined").await?;
        ada.sees_and_hears(1, SOON).await?;
        returns(&ada, "and again", speakers, json!(["living room"])).await
    }
}

staged! {
    /// E2: on the smallest phone the controls are one row that a thumb can hit, and what has no room is
    /// in the menu; the panel lies over the stage.
    async fn on_a_phone(stage: &Stage) -> Result<()> {
        let room = Room::new("phone");
        let [ada, bob] = two(stage, Kind::Chromium, &room).await?;
        ada.cdp("Emulation.setDeviceMetricsOverride", json!({ "width": 360, "height": 720, "deviceScaleFactor": 1, "mobile": false })).await?;
        let row = r#"
            const buttons = [...document.querySelectorAll(".toolbar button")].filter((button) => button.checkVisibility());
            const places = buttons.map((button) => button.getBoundingClientRect());
            const isReached = (place) => place.left >= 0 && place.right <= innerWidth && place.width >= 44 && place.height >= 44;
            return [
                new Set(places.map((place) => Math.round(place.top))).size,
                places.filter((place) => !isReached(place)).map(({ left, width, height }) => [left, width, height]),
                document.documentElement.scrollWidth,
            ];
        "#;
        returns(&ada, "one row", row, json!([1, [], 360])).await?;
        ensure!(ada.find("button", "Raise hand").await?.is_none());

        let choose = async |name: &str| {
            ada.press("button", "More").await?;
            ada.see("menu", "More").await?;
            ada.press("menuitem", name).await
        };
        choose("Raise hand").await?;
        see_mark(&bob, "Ada", "Hand raised", true).await?;
        choose("React").await?;
        ada.see("menu", "React").await?;
        ada.press("menuitem", "👏").await?;
        returns(&bob, "a sign over Ada", "return document.querySelectorAll('article[aria-label=Ada] .reaction').length;", json!(1)).await?;
        has_focus(&ada, "button", "More").await?;
        choose("People").await?;
        ada.see("slider", "Volume of Bob").await?;
        let covers = r#"
            const [panel, stage] = [".panel", ".stage"].map((part) => document.querySelector(part).getBoundingClientRect());
            return panel.width >= stage.width && document.documentElement.scrollWidth === 360
                && !document.querySelector(".stage article").checkVisibility({ visibilityProperty: true });
        "#;
        returns(&ada, "the panel covers the stage", covers, json!(true)).await?;
        ada.press("button", "Close").await?;
        has_focus(&ada, "button", "More").await
    }
}
