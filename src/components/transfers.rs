//! The list of what is sent and received: a line for each, with its progress and what one can do.
//!
//! A line stays the same element for the transfer's life, whatever changes, so that who is about to
//! press a button presses that one. Nothing that was received is shown before somebody wants to see it,
//! and then it is drawn into a canvas.

mod name;
mod standing;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use visavis_call_core::{Direction, Transfer, TransferState};
use visavis_protocol::TransferId;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlCanvasElement};

use super::dom::{El, each, el, el_class, focused, live};
use super::icon::{Icon, icon};
use crate::i18n::{amounts, words};
pub use name::{file_name, short_name};
pub use standing::{Act, Beside, Mood, asks};
use standing::{Standing, rank, standing, state_name, would_be_lost};

/// Lines that are shown at once. Who wants to see those behind them takes some away.
const LINES: usize = 200;
/// The room for a preview, in the canvas's own pixels: as wide as the panel on a sharp screen.
const PREVIEW_PX: (u32, u32) = (640, 480);

/// Does what somebody pressed.
type DoAct = dyn Fn(&Transfer, Act);
/// Draws a picture, and tells at some time whether it was one.
type Draw = dyn Fn(TransferId, HtmlCanvasElement, Box<dyn FnOnce(bool)>);

/// What the list needs of its page.
#[derive(Clone)]
pub struct TransferDoes {
    /// Somebody pressed a button; not for [`Act::Preview`].
    pub act: Rc<DoAct>,
    /// What is known beside what the core tells. Follows signals.
    pub beside: Rc<dyn Fn(&Transfer) -> Beside>,
    /// Draws a picture into a canvas and tells whether it is one.
    pub preview: Rc<Draw>,
}

/// The list, and below it how many it does not show.
pub fn transfer_list(all: Memo<Vec<Transfer>>, does: TransferDoes) -> El {
    // The only thing beside its items that a list may have.
    let end = el("template");
    let list = el_class("ul", "transfers")
        // Without its bullets some browsers no longer take it for a list.
        .attr("role", "list")
        .attr("aria-label", words().file.transfers)
        .child(end.clone());
    let lines: Rc<RefCell<Vec<Rc<Line>>>> = Rc::default();
    let made = Rc::clone(&lines);
    let made_for = does.clone();
    each(
        &list,
        &end,
        move || all.with(|all| order(all)),
        move |id| {
            let line = Line::new(id, &made_for);
            all.with_untracked(|all| line.find_and_show(all));
            made.borrow_mut().push(Rc::clone(&line));
            line.whole.clone()
        },
    );
    live(move || {
        all.with(|all| {
            let mut lines = lines.borrow_mut();
            lines.retain(|line| line.find_and_show(all));
        });
    });
    let more = el_class("p", "hint").live(move |more| {
        let hidden = all.with(Vec::len).saturating_sub(LINES);
        more.set_flag("hidden", hidden == 0);
        more.set_text(&words().file.more.of(hidden));
    });
    el_class("div", "slot").child(list).child(more)
}

/// What waits for the person first, then what goes its way as it was offered, then what is over, the
/// latest first.
fn order(all: &[Transfer]) -> Vec<TransferId> {
    const OVER: u8 = 3;
    let mut ordered = Vec::new();
    for wanted in 0..OVER {
        let ranked = all.iter().filter(|transfer| rank(transfer) == wanted);
        ordered.extend(ranked.map(|transfer| transfer.transfer));
    }
    let over = all.iter().rev().filter(|transfer| rank(transfer) == OVER);
    ordered.extend(over.map(|transfer| transfer.transfer));
    ordered.truncate(LINES);
    ordered
}

/// One transfer.
struct Line {
    id: TransferId,
    does: TransferDoes,
    whole: El,
    sign: El,
    title: El,
    about: El,
    bar: El,
    fill: El,
    state: El,
    acts: El,
    buttons: RefCell<Vec<(Act, El)>>,
    /// Those acts.
    offered: Cell<&'static [Act]>,
    preview: El,
    /// Whether the person is asked if what would be lost may go.
    is_asked: Cell<bool>,
    shown: RefCell<Option<(Transfer, Beside)>>,
}

impl Line {
    fn new(id: TransferId, does: &TransferDoes) -> Rc<Self> {
        let fill = el("div");
        let part = || el_class("div", "slot");
        let line = Rc::new(Self {
            id,
            does: does.clone(),
            whole: el_class("li", "transfer").attr("tabindex", "-1"),
            sign: el_class("span", "transfer-sign"),
            title: part(),
            about: el_class("p", "hint cut"),
            bar: el_class("div", "progress")
                .attr("role", "progressbar")
                .attr("aria-valuemin", "0")
                .attr("aria-valuemax", "100")
                .child(fill.clone()),
            fill,
            state: el_class("p", "transfer-state"),
            acts: el_class("div", "transfer-acts"),
            buttons: RefCell::default(),
            offered: Cell::new(&[]),
            preview: part(),
            is_asked: Cell::new(false),
            shown: RefCell::default(),
        });
        let pressed = Rc::clone(&line);
        line.whole
            .clone()
            .child(line.sign.clone())
            .child(line.title.clone())
            .child(line.about.clone())
            .child(line.bar.clone())
            .child(line.state.clone())
            .child(line.preview.clone())
            .child(line.acts.clone())
            .on("click", move |event| pressed.press(&event));
        line
    }

    /// Shows it as it is among all; whether it is there still.
    fn find_and_show(&self, all: &[Transfer]) -> bool {
        let found = all.iter().find(|transfer| transfer.transfer == self.id);
        if let Some(transfer) = found {
            self.show(transfer);
        }
        found.is_some()
    }

    fn show(&self, transfer: &Transfer) {
        let beside = (self.does.beside)(transfer);
        let is_new = {
            let shown = self.shown.borrow();
            if shown
                .as_ref()
                .is_some_and(|(before, known)| before == transfer && *known == beside)
            {
                return;
            }
            shown.is_none()
        };
        if is_new {
            self.name(transfer);
        }
        self.show_as(transfer, beside);
    }

    fn show_as(&self, transfer: &Transfer, beside: Beside) {
        let standing = standing(transfer, beside, self.is_asked.get());
        let percent = amounts::percent_of(transfer.passed, transfer.bytes);
        self.whole
            .set_attr("data-state", Some(state_name(transfer.state)));
        self.whole.set_attr("data-mood", Some(mood_name(standing.mood)));
        self.about.set_text(&about(transfer));
        self.state.set_text(&standing.text);
        self.bar.set_attr("aria-valuenow", Some(&percent.to_string()));
        self.bar
            .set_attr("aria-valuetext", Some(&spoken(transfer, percent, &standing)));
        self.fill
            .set_style("inline-size", &[&percent.to_string(), "%"].concat());
        self.offer(standing.acts, beside);
        self.shown.replace(Some((transfer.clone(), beside)));
    }

    /// What never changes.
    fn name(&self, transfer: &Transfer) {
        let title = transfer.title.as_str();
        self.whole.set_attr("aria-label", Some(title));
        self.bar
            .set_attr("aria-label", Some(&words().file.progress.fill(title)));
        let sign = if transfer.is_folder {
            Icon::Folder
        } else {
            Icon::File
        };
        self.whole.set_class("is-folder", transfer.is_folder);
        self.sign.put(&icon(sign));
        let spoken = el_class("span", "visually-hidden")
            .attr("id", &self.title_id())
            .text(title);
        self.title.put(&spoken);
        self.title.put(&file_name(title).attr("aria-hidden", "true"));
    }

    /// Where its buttons find what they are about.
    fn title_id(&self) -> String {
        ["file-", &self.id.to_string()].concat()
    }

    /// Makes the buttons anew if others are wanted. Who had the focus on one that is gone has it on the
    /// first, unless that one ends something: then on the line.
    fn offer(&self, acts: &'static [Act], beside: Beside) {
        if self.offered.replace(acts) == acts && self.shown.borrow().is_some() {
            return;
        }
        let had_focus = focused().is_some_and(|focused| self.acts.contains(&focused));
        let before = self.focused_act();
        self.acts.set_only_child(None);
        self.preview.set_only_child(None);
        let title = self.title_id();
        let mut buttons = Vec::with_capacity(acts.len());
        for (index, act) in acts.iter().enumerate() {
            let is_first = index == 0;
            let is_wanted =
                is_first && matches!(act, Act::Accept | Act::Again | Act::Save) && !beside.is_saved;
            let class = if is_wanted {
                "button button-small button-primary"
            } else {
                "button button-small"
            };
            let button = el_class("button", class)
                .attr("type", "button")
                .attr("aria-describedby", &title)
                .text(self.act_name(*act));
            self.acts.put(&button);
            buttons.push((*act, button));
        }
        if had_focus {
            let same = buttons.iter().find(|(act, _)| Some(*act) == before);
            let first = buttons
                .first()
                .filter(|(act, _)| !matches!(act, Act::Cancel | Act::Remove));
            same.or(first).map_or(&self.whole, |(_, button)| button).focus();
        }
        self.buttons.replace(buttons);
    }

    fn focused_act(&self) -> Option<Act> {
        let buttons = self.buttons.borrow();
        let focused = buttons.iter().find(|(_, button)| button.has_focus());
        focused.map(|(act, _)| *act)
    }

    fn act_name(&self, act: Act) -> &'static str {
        let words = &words().file;
        match act {
            Act::Accept => words.accept,
            Act::Decline => words.decline,
            Act::Pause => words.pause,
            Act::Resume => words.resume,
            Act::Again => {
                let is_folder = self.whole.has_class("is-folder");
                if is_folder {
                    words.again_folder
                } else {
                    words.again
                }
            }
            Act::Save => words.save,
            Act::Preview => words.preview,
            Act::Cancel => words.cancel,
            Act::Remove => words.remove,
            Act::Discard => words.discard_it,
            Act::Keep => words.keep,
        }
    }

    fn press(&self, event: &Event) {
        let pressed = {
            let buttons = self.buttons.borrow();
            let pressed = buttons.iter().find(|(_, button)| button.holds(event));
            pressed.cloned()
        };
        let Some((act, button)) = pressed else { return };
        if act == Act::Preview {
            self.flip_preview(&button);
            return;
        }
        let Some((transfer, beside)) = self.shown.borrow().clone() else {
            return;
        };
        let asks = act == Act::Remove && would_be_lost(&transfer, beside);
        if asks || act == Act::Keep {
            self.is_asked.set(asks);
            return self.show_as(&transfer, beside);
        }
        if matches!(act, Act::Remove | Act::Discard) {
            self.leave_focus();
        }
        (self.does.act)(&transfer, act);
    }

    /// Gives the focus to a neighbour, for this line is about to go.
    fn leave_focus(&self) {
        let whole = self.whole.element();
        let neighbours = [whole.next_element_sibling(), whole.previous_element_sibling()];
        let lines = neighbours.into_iter().flatten();
        if let Some(line) = lines
            .filter_map(|line| line.dyn_into::<web_sys::HtmlElement>().ok())
            .find(|line| line.has_attribute("tabindex"))
        {
            // Fails for no element of a page.
            _ = line.focus();
        }
    }

    /// Shows what came, or no longer.
    fn flip_preview(&self, button: &El) {
        let words = &words().file;
        if self.preview.element().child_element_count() > 0 {
            self.preview.set_only_child(None);
            button.set_text(words.preview);
            return;
        }
        let canvas = el_class("canvas", "preview-canvas").attr("role", "img");
        if let Some((transfer, _)) = &*self.shown.borrow() {
            canvas.set_attr("aria-label", Some(&transfer.title));
        }
        let drawn: HtmlCanvasElement = canvas.element().clone().unchecked_into();
        drawn.set_width(PREVIEW_PX.0);
        drawn.set_height(PREVIEW_PX.1);
        self.preview.set_only_child(Some(canvas.clone()));
        button.set_text(words.hide_preview);
        let place = self.preview.clone();
        let done = move |is_picture: bool| {
            // Hidden again meanwhile, perhaps.
            if !is_picture && place.contains(&canvas) {
                let text = el_class("p", "hint")
                    .attr("role", "status")
                    .text(words.no_picture);
                place.set_only_child(Some(text));
            }
        };
        (self.does.preview)(self.id, drawn, Box::new(done));
    }
}

const fn mood_name(mood: Mood) -> &'static str {
    match mood {
        Mood::Asking => "asking",
        Mood::Calm => "calm",
        Mood::Resting => "resting",
        Mood::Good => "good",
        Mood::Over => "over",
    }
}

/// Who is on the other side, and how much it is.
fn about(transfer: &Transfer) -> String {
    let words = &words().file;
    let who = match transfer.direction {
        Direction::Sending => words.to,
        Direction::Receiving => words.from,
    };
    let mut text = who.fill(&transfer.name);
    let mut add = |part: &str| {
        text.push_str(" · ");
        text.push_str(part);
    };
    if transfer.is_folder {
        add(&words
            .count
            .of(usize::try_from(transfer.files).unwrap_or(usize::MAX)));
    }
    let is_under_way = transfer.passed > 0 && transfer.passed < transfer.bytes;
    if is_under_way {
        add(&amounts::part_of(transfer.passed, transfer.bytes));
    } else {
        add(&amounts::bytes(transfer.bytes));
    }
    text
}

/// The progress, for who does not see the bar.
fn spoken(transfer: &Transfer, percent: u32, standing: &Standing) -> String {
    let mut text = amounts::percent(percent);
    if transfer.state == TransferState::Running {
        text.push_str(words().comma);
        text.push_str(&standing.text);
    }
    text
}

#[cfg(test)]
mod tests {
    use visavis_protocol::SeatId;

    use super::*;

    fn transfer(n: u8, direction: Direction, state: TransferState) -> Transfer {
        Transfer {
            transfer: TransferId::from_bytes([n; 16]),
            direction,
            seat: SeatId::from_bytes([9; 16]),
            name: "Bea".to_owned(),
            title: "tea.pdf".to_owned(),
            is_folder: false,
            files: 1,
            bytes: 5_000_000,
            passed: 0,
            rate: 0,
            left: None,
            state,
        }
    }

    #[test]
    fn offers_come_first_and_what_is_over_last_the_latest_before_the_others() {
        use Direction::{Receiving, Sending};
        use TransferState::{Done, Lacking, Offered, Running};

        let all = [
            transfer(1, Sending, Done),
            transfer(2, Sending, Running),
            transfer(3, Receiving, Offered),
            transfer(4, Receiving, Done),
            transfer(5, Sending, Offered),
            transfer(6, Sending, Lacking { ours: true }),
            transfer(7, Receiving, Offered),
        ];
        let ids = [3, 7, 6, 2, 5, 4, 1].map(|n| TransferId::from_bytes([n; 16]));
        assert_eq!(order(&all), ids);
    }

    #[test]
    fn no_more_lines_than_a_page_stands() {
        let all: Vec<Transfer> = (0..1000)
            .map(|n| {
                let mut one = transfer(0, Direction::Sending, TransferState::Done);
                let mut id = [0; 16];
                id[..2].copy_from_slice(&u16::to_be_bytes(n));
                one.transfer = TransferId::from_bytes(id);
                one
            })
            .collect();
        let ordered = order(&all);
        assert_eq!(ordered.len(), LINES);
        assert_eq!(ordered[0], all[999].transfer);
    }

    #[test]
    fn it_says_who_and_how_much() {
        let mut one = transfer(1, Direction::Receiving, TransferState::Running);
        assert_eq!(about(&one), "From Bea · 5 MB");
        one.passed = 1_200_000;
        one.direction = Direction::Sending;
        assert_eq!(about(&one), "To Bea · 1.2 MB of 5 MB");
        one.is_folder = true;
        one.files = 12;
        one.passed = 5_000_000;
        assert_eq!(about(&one), "To Bea · 12 files · 5 MB");
    }
}
