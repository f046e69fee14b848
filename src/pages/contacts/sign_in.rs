//! Who one is to be here: a handle, and a key that the browser makes for it.

use leptos::prelude::*;
use visavis_call_core::Standing;
use visavis_protocol::{ErrorCode, Handle};

use super::{handle_error, handle_input};
use crate::components::dom::{El, el, el_class, live};
use crate::components::{Field, focus_on_arrival};
use crate::i18n::words;
use crate::runtime::use_runtime;

/// The form.
pub fn sign_in() -> El {
    let runtime = use_runtime();
    let (others, words) = (runtime.others(), &words().phone);
    let handle = Field::new(
        "your-handle",
        words.your_handle,
        Some(el_class("button", "button button-primary").text(words.sign_in)),
    );
    handle_input(&handle);
    let wanted = others.with_untracked(|others| others.handle.clone());
    if let Some(wanted) = wanted {
        handle.input().set_property("value", &wanted.as_str().into());
    }
    let code = Field::new("code", words.code, None);
    code.input()
        .attr("autocomplete", "one-time-code")
        .attr("autocapitalize", "none")
        .attr("dir", "ltr");
    let linked = el_class("details", "sign-in-code")
        .child(el("summary").text(words.have_code))
        .child(code.whole.clone());
    let (refused, refused_code, opened) = (handle.clone(), code.clone(), linked.clone());
    live(move || {
        let problem = others.with(|others| problem(&others.standing));
        let is_code = problem == Some(words.bad_code);
        if is_code || problem == Some(words.taken) {
            opened.set_flag("open", true);
        }
        refused.set_error(problem.filter(|_| !is_code));
        refused_code.set_error(problem.filter(|_| is_code));
    });
    let (typed, coded) = (handle.clone(), code);
    focus_on_arrival(&handle.input());
    el_class("form", "card sign-in")
        .attr("novalidate", "")
        .on("submit", move |event| {
            event.prevent_default();
            let code = coded.text().trim().to_owned();
            match Handle::read(&typed.text()) {
                Ok(handle) => runtime.sign_in(handle, (!code.is_empty()).then_some(code)),
                Err(error) => typed.set_error(Some(handle_error(error))),
            }
        })
        .child(handle.whole)
        .child(el_class("p", "quiet small").text(words.handle_hint))
        .child(linked)
        .child(el_class("p", "quiet small").text(words.key_hint))
}

/// Why one is not who one wants to be.
fn problem(standing: &Standing) -> Option<&'static str> {
    let words = &words().phone;
    match standing {
        Standing::SignedOut | Standing::SigningIn | Standing::SignedIn => None,
        Standing::NoKey => Some(words.no_key),
        Standing::Refused(code) => Some(match code {
            ErrorCode::HandleTaken => words.taken,
            ErrorCode::HandleFree => words.free_again,
            ErrorCode::BadCode => words.bad_code,
            ErrorCode::TooMany => words.too_many_pages,
            ErrorCode::TokensOnly => words.tokens_only,
            ErrorCode::BadToken | ErrorCode::KeysOnly => words.bad_token,
            ErrorCode::RateLimited => words.too_often,
            ErrorCode::BadMessage
            | ErrorCode::UnknownKind
            | ErrorCode::UnsupportedVersion
            | ErrorCode::AlreadyGreeted
            | ErrorCode::InvalidName
            | ErrorCode::RoomFull
            | ErrorCode::ServerFull
            | ErrorCode::AlreadyJoined
            | ErrorCode::NotJoined
            | ErrorCode::UnknownSession
            | ErrorCode::UnknownPeer
            | ErrorCode::SelfAddressed
            | ErrorCode::TooManyWatchers
            | ErrorCode::NotSignedIn
            | ErrorCode::AlreadySignedIn
            | ErrorCode::BadSignature
            | ErrorCode::NotHost
            | ErrorCode::RoomLocked
            | ErrorCode::RoomMoved
            | ErrorCode::Removed
            | ErrorCode::TooManyWaiting
            | ErrorCode::TokenTooLong
            | ErrorCode::TokenMalformed
            | ErrorCode::TokenUnsigned
            | ErrorCode::TokenAlgorithm
            | ErrorCode::TokenKey
            | ErrorCode::TokenSignature
            | ErrorCode::TokenClaims
            | ErrorCode::TokenClaimType
            | ErrorCode::TokenIssuer
            | ErrorCode::TokenType
            | ErrorCode::TokenAudience
            | ErrorCode::TokenExpired
            | ErrorCode::TokenNotYet
            | ErrorCode::TokenReused
            | ErrorCode::NoDesk
            | ErrorCode::NoVisit
            | ErrorCode::UnknownAppointment
            | ErrorCode::InvalidAppointment
            | ErrorCode::AppointmentEarly
            | ErrorCode::AppointmentLate
            | ErrorCode::AppointmentOver
            | ErrorCode::AppointmentCancelled
            | ErrorCode::Unknown => words.not_here,
        }),
    }
}
