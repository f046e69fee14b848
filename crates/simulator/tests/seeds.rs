//! A few seeds, the planted bugs and the smaller searches: what fits beside the unit tests. The
//! command line runs them all.

use visavis_simulator::Options;
use visavis_simulator::exhaustive::{plans, search};
use visavis_simulator::sweep::{Kind, Sweep, sweep};
use visavis_simulator::teeth::{Planted, bite};

/// How many seeds to run; `VISAVIS_SIM_SEEDS` says otherwise.
fn seeds() -> u64 {
    std::env::var("VISAVIS_SIM_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(300)
}

fn expect_no_failure(kind: Kind) {
    let report = sweep(
        &Sweep {
            kind,
            start: 0,
            seeds: seeds(),
            threads: 2,
            options: Options::default(),
            stop_at_first: false,
        },
        &|_| {},
    );
    let failures: Vec<String> = report
        .failures
        .iter()
        .map(|(seed, violation)| format!("seed {seed}: {violation}"))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(report.passed, seeds());
}

#[test]
fn no_seed_breaks_a_rule() {
    expect_no_failure(Kind::Rooms);
}

#[test]
fn no_seed_of_people_who_call_breaks_a_rule() {
    expect_no_failure(Kind::People);
}

#[test]
fn a_seed_always_makes_the_same_run() {
    let traced = Options {
        trace: true,
        ..Options::default()
    };
    for (kind, seed) in Kind::ALL
        .into_iter()
        .flat_map(|kind| [1, 7, 29, 51].map(|seed| (kind, seed)))
    {
        let first = kind.play(seed, &Options::default());
        let again = kind.play(seed, &traced);
        assert_eq!((first.hash, first.events), (again.hash, again.events));
        assert!(!again.lines.is_empty());
        assert_ne!(first.hash, kind.play(seed + 1, &Options::default()).hash);
    }
}

/// Bugs that take thousands of seeds are left to the command line.
const RARE: u64 = 600;

#[test]
fn most_planted_bugs_are_caught_soon() {
    let bites: Vec<_> = Planted::all().map(|planted| bite(planted, RARE, 2)).collect();
    let missed: Vec<_> = bites
        .iter()
        .filter(|bite| bite.caught.is_none())
        .map(|bite| bite.planted)
        .collect();
    assert!(
        bites.len() - missed.len() >= 15,
        "not caught in {RARE} seeds: {missed:?}"
    );
}

#[test]
fn every_interleaving_of_two_who_both_change_tracks_ends_well() {
    for plan in plans(100_000).iter().take(2) {
        let findings = search(plan, &Options::default());
        assert_eq!(findings.violation, None, "{}", plan.name);
        assert!(findings.complete, "{}: {} states", plan.name, findings.states);
        assert!(findings.depth >= 14 && findings.ends > 0, "{findings:?}");
    }
}

#[test]
fn the_search_finds_a_planted_bug_and_says_how() {
    use visavis_call_core::{Fault, Faults};
    let options = Options {
        faults: Faults::default().with(Fault::BothImpolite),
        ..Options::default()
    };
    let findings = search(&plans(100_000)[0], &options);
    let (_, path) = findings.violation.expect("nobody yields");
    assert!(!path.is_empty());
}
