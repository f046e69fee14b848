//! Chat: what one writes is read by whom it is for, once, in order, as text (C1, M71, M72).

use std::rc::Rc;

use anyhow::{Result, ensure};
use futures_util::future::try_join;
use serde_json::{Value, json};
use thirtyfour::Key;
use visavis_e2e::page::SOON;
use visavis_e2e::{Browser, Kind, Look, Room, Stage, in_each, until};

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

async fn returns(browser: &Browser, what: &str, script: &str, wanted: Value) -> Result<()> {
    until(&format!("{}: {what}", browser.label), SOON, async || {
        let now = browser.script(script, Vec::new()).await?;
        Ok(Look::when(now == wanted, || now.to_string()))
    })
    .await
}

const TEXTS: &str =
    "return [...document.querySelectorAll('[role=log] .chat-text')].map((text) => text.textContent);";
const HEARSAY: &str =
    "return [...document.querySelectorAll('[role=log] .chat-hearsay')].map((mark) => mark.textContent);";
const FOCUSED: &str = "return document.activeElement.getAttribute('aria-label');";
const BADGE: &str =
    "return [...document.querySelectorAll('.badge:not([hidden])')].map((badge) => badge.dataset.count);";

async fn reads(browser: &Browser, texts: &[&str]) -> Result<()> {
    returns(browser, "the messages", TEXTS, json!(texts)).await
}

async fn open(browser: &Browser) -> Result<()> {
    browser.press("button", "Chat").await?;
    browser.see("log", "Messages").await?;
    returns(browser, "focus in the box", FOCUSED, json!("Message")).await
}

/// Writes and sends by Enter.
async fn say(browser: &Browser, text: &str) -> Result<()> {
    browser.fill("Message", text).await?;
    browser.press_enter().await
}

in_each! {
    /// M71: links, lines and what pretends to be a page arrive as text; nothing runs.
    async fn both_ways(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind, &Room::new("words")).await?;
        open(&ada).await?;
        open(&bob).await?;
        ada.fill("Message", "See https://example.org/a_(b)?c=1.").await?;
        ada.driver().action_chain().key_down(Key::Shift).send_keys(Key::Enter).key_up(Key::Shift).perform().await?;
        ada.keys("second line").await?;
        ada.press("button", "Send").await?;
        let first = "See https://example.org/a_(b)?c=1.\nsecond line";
        reads(&bob, &[first]).await?;
        reads(&ada, &[first]).await?;
        let link = "const link = document.querySelector('[role=log] a'); return [link.href, link.rel, link.target, document.querySelectorAll('[role=log] a').length];";
        returns(&bob, "the link", link, json!(["https://example.org/a_(b)?c=1", "noopener noreferrer", "_blank", 1])).await?;
        let evil = "<img src=x onerror=\"document.title='evil'\"> javascript:alert(1) <a href=\"javascript:alert(2)\">x</a>";
        say(&bob, evil).await?;
        reads(&ada, &[first, evil]).await?;
        let made = "return [document.querySelectorAll('[role=log] img').length, document.querySelectorAll('[role=log] a').length, document.title.includes('evil')];";
        returns(&ada, "nothing but text", made, json!([0, 1, false])).await?;
        // Back to the button by Escape, and the box is as it was left.
        ada.fill("Message", "not yet").await?;
        ada.keys(Key::Escape).await?;
        ada.see_gone("log", "Messages").await?;
        returns(&ada, "focus on the button", FOCUSED, json!("Chat")).await?;
        open(&ada).await?;
        returns(&ada, "what was begun", "return document.querySelector('textarea').value;", json!("not yet")).await
    }
}

in_each! {
    /// What is for one is seen by that one, and by nobody when they have left.
    async fn private(stage: &Stage, kind: Kind) -> Result<()> {
        let room = Room::new("aside");
        let [ada, bob] = two(stage, kind, &room).await?;
        let cleo = stage.browser(kind).await?;
        cleo.enter(stage, &room, "Cleo").await?;
        try_join(ada.sees_and_hears(2, SOON), cleo.sees_and_hears(2, SOON)).await?;
        for browser in [&ada, &bob, &cleo] {
            open(browser).await?;
        }
        let choose = "const list = document.querySelector('.chat-to select'); list.value = [...list.options].find((option) => option.textContent === 'Bob').value; list.dispatchEvent(new Event('change', { bubbles: true }));";
        ada.see("combobox", "Send to").await?;
        ada.script(choose, Vec::new()).await?;
        say(&ada, "only you").await?;
        reads(&bob, &["only you"]).await?;
        let mark = "return [...document.querySelectorAll('.chat-mark')].map((mark) => mark.textContent);";
        returns(&bob, "the mark", mark, json!(["only to you"])).await?;
        returns(&ada, "the mark", mark, json!(["to Bob"])).await?;
        bob.leave().await?;
        ada.see_gone("article", "Bob").await?;
        say(&ada, "a secret").await?;
        returns(&ada, "it stays in the box", "return document.querySelector('textarea').value;", json!("a secret")).await?;
        reads(&ada, &["only you"]).await?;
        ada.pick("Send to", "").await?;
        ada.press("button", "Send").await?;
        reads(&cleo, &["a secret"]).await
    }
}

in_each! {
    /// C1: who comes late reads all of it once and in order, from those who wrote it, and after their
    /// leave and a reload from those who heard it, which is said.
    async fn history(stage: &Stage, kind: Kind) -> Result<()> {
        let room = Room::new("late");
        let [ada, bob] = two(stage, kind, &room).await?;
        open(&ada).await?;
        open(&bob).await?;
        let all = ["one", "two", "three", "four"];
        for (index, text) in all.iter().enumerate() {
            let (from, to) = if index % 2 == 0 { (&ada, &bob) } else { (&bob, &ada) };
            say(from, text).await?;
            reads(to, &all[..=index]).await?;
        }
        let cleo = stage.browser(kind).await?;
        cleo.enter(stage, &room, "Cleo").await?;
        cleo.sees_and_hears(2, SOON).await?;
        open(&cleo).await?;
        reads(&cleo, &all).await?;
        returns(&cleo, "no hearsay", HEARSAY, json!([])).await?;
        returns(&cleo, "told apart", "return [...document.querySelectorAll('.chat-divider')].map((line) => line.textContent);", json!(["Before you came"])).await?;
        returns(&cleo, "no news", BADGE, json!([])).await?;
        ada.leave().await?;
        cleo.see_gone("article", "Ada").await?;
        reads(&cleo, &all).await?;
        // What is said while somebody loads their page anew arrives once.
        cleo.driver().refresh().await?;
        say(&bob, "five").await?;
        cleo.ready().await?;
        cleo.room_state("joined").await?;
        open(&cleo).await?;
        reads(&cleo, &["one", "two", "three", "four", "five"]).await?;
        returns(&cleo, "hearsay", HEARSAY, json!(["Told by Bob", "Told by Bob"])).await?;
        say(&cleo, "six").await?;
        reads(&bob, &["one", "two", "three", "four", "five", "six"]).await
    }
}

in_each! {
    /// What nobody has read is counted, and no longer when it is.
    async fn unread(stage: &Stage, kind: Kind) -> Result<()> {
        let [ada, bob] = two(stage, kind, &Room::new("count")).await?;
        open(&bob).await?;
        say(&bob, "one").await?;
        say(&bob, "two").await?;
        returns(&ada, "the badge", BADGE, json!(["2"])).await?;
        let title = "return document.title.startsWith('(2) ');";
        returns(&ada, "the title", title, json!(true)).await?;
        ada.hear("status", "Bob wrote").await?;
        open(&ada).await?;
        returns(&ada, "no badge", BADGE, json!([])).await?;
        returns(&ada, "the title", title, json!(false)).await?;
        say(&bob, "three").await?;
        reads(&ada, &["one", "two", "three"]).await?;
        ada.hear("status", "Bob: three").await?;
        returns(&ada, "no badge", BADGE, json!([])).await
    }
}

/// A page that tells of a thousand messages to whoever asks.
const TALKATIVE: &str = r#"
    const send = RTCDataChannel.prototype.send;
    RTCDataChannel.prototype.send = function (text) {
        if (this.label === "chat" && typeof text === "string" && text.startsWith('{"past"')) {
            for (let part = 0; part < 48; part += 1) {
                const list = [];
                for (let n = part * 20 + 1; n <= part * 20 + 20; n += 1) {
                    list.push({ author: "A".repeat(22), session: "A".repeat(22), seq: n, clock: 1, time: n * 200000, name: "Zoe", text: `${n} ` + "words and ".repeat(n % 40) });
                }
                send.call(this, JSON.stringify({ past: { list } }));
            }
        }
        return send.call(this, text);
    };
"#;

in_each! {
    /// However many messages there are, few are in the page; it stays where one is, and at its end.
    async fn many(stage: &Stage, kind: Kind) -> Result<()> {
        stage.serve().await?;
        let room = Room { name: "many".into(), secret: None };
        let (ada, bob) = try_join(stage.browser(kind), stage.browser(other(kind))).await?;
        bob.enter(stage, &room, "Bob").await?;
        bob.script(TALKATIVE, Vec::new()).await?;
        ada.enter(stage, &room, "Ada").await?;
        ada.sees_and_hears(1, SOON).await?;
        open(&ada).await?;
        let last = "return [...document.querySelectorAll('.chat-text')].at(-1)?.textContent.split(' ')[0];";
        returns(&ada, "the last", last, json!("960")).await?;
        let walk = r#"
            const log = document.querySelector('[role=log]');
            let most = 0, empty = 0;
            const frame = () => new Promise((done) => requestAnimationFrame(done));
            for (let step = 0; step <= 60; step += 1) {
                log.scrollTop = (log.scrollHeight - log.clientHeight) * (1 - step / 60);
                await frame();
                await frame();
                most = Math.max(most, document.querySelectorAll('.chat-line').length);
                const box = log.getBoundingClientRect();
                const seen = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
                if (!seen?.closest('.chat-line')) empty += 1;
            }
            return [most, empty, document.querySelector('.chat-text').textContent.split(' ')[0]];
        "#;
        let walked = ada.async_script(walk, Vec::new()).await?;
        stage.figure(&format!("chat: {} of 960 messages in the page at most", walked[0]));
        ensure!(walked[0].as_u64().is_some_and(|most| most < 80), "{walked}");
        ensure!(walked[1].as_u64().is_some_and(|empty| empty <= 3) && walked[2] == "1", "{walked}");
        // Above the end one stays where one is, and is told.
        open(&bob).await?;
        say(&bob, "news").await?;
        ada.see("button", "1 new message").await?;
        returns(&ada, "the first", "return document.querySelector('.chat-text').textContent.split(' ')[0];", json!("1")).await?;
        ada.press("button", "1 new message").await?;
        returns(&ada, "the last", last, json!("news")).await?;
        ada.see_gone("button", "1 new message").await?;
        say(&bob, "more").await?;
        returns(&ada, "the end", last, json!("more")).await
    }
}
