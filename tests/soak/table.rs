//! What a soak came to: counts, and what must hold of them.

use std::fmt;
use std::time::Duration;

use crate::Site;
use crate::run::{Kind, Run};
use crate::town::Tally;
use crate::weather::{Failure, Injected};

/// Everything that was counted.
pub(crate) struct Table {
    rows: Vec<(String, u64)>,
    time: Duration,
    slowest: Duration,
    median: Duration,
    /// At the providers together.
    tally: Tally,
    unexplained: Vec<String>,
    leaks: usize,
    done: usize,
    /// How often a person was needed, and how many refreshes were lost.
    people: (u32, usize),
}

impl Table {
    /// Counts.
    pub(crate) fn of(sites: &[Site], runs: &[Run], time: Duration) -> Self {
        let tally = sites.iter().map(|site| site.town.tally()).fold(Tally::default(), sum);
        let weather: Vec<_> = sites.iter().map(|site| site.weather.counts()).collect();
        let failures: Vec<Injected> = weather.iter().flat_map(|(_, failures)| failures).copied().collect();
        let of_kind = |kind: &Kind| runs.iter().filter(|run| run.kind == *kind).count();
        let unexplained = |run: &Run| match &run.kind {
            Kind::Unexplained(said) => Some(said.clone()),
            _ => None,
        };
        let unexplained: Vec<_> = runs.iter().filter_map(unexplained).collect();
        let people: u32 = sites.iter().map(Site::people).sum();
        let losses = failures.iter().filter(|it| it.is_refresh && it.failure.is_ambiguous()).count();
        let mut rows = vec![
            row("runs", runs.len()),
            row("  found the last name", of_kind(&Kind::Done)),
            row("  not: in the cooldown after a failure", of_kind(&Kind::Cooling)),
            row("  not: a reply was lost, a person is needed", of_kind(&Kind::NeedsAPerson)),
            row("  not: unexplained", unexplained.len()),
            row("token calls", weather.iter().map(|(calls, _)| *calls as usize).sum()),
            row("  failures injected", failures.len()),
        ];
        let injected = |failure: Failure| failures.iter().filter(|it| it.failure == failure).count();
        rows.extend(Failure::ALL.map(|failure| row(&format!("    {failure:?}"), injected(failure))));
        rows.extend([
            row("refreshes", tally.refreshes as usize),
            row("  early", tally.early as usize),
            row("  refreshes lost", losses),
            row("times a person was needed, after the first", people as usize),
            row("invalid_grant at the provider", tally.invalid_grant as usize),
        ]);
        let mut took: Vec<_> = runs.iter().map(|run| run.took).collect();
        took.sort();
        Self {
            rows,
            time,
            slowest: took.last().copied().unwrap_or_default(),
            median: took.get(took.len() / 2).copied().unwrap_or_default(),
            tally,
            unexplained,
            leaks: of_kind(&Kind::Leak),
            done: of_kind(&Kind::Done),
            people: (people, losses),
        }
    }

    /// Fails with the first thing that does not hold.
    pub(crate) fn holds(&self) {
        assert_eq!(self.leaks, 0, "a token or a secret was said");
        assert!(self.unexplained.is_empty(), "runs failed for no reason: {:#?}", self.unexplained);
        assert_eq!(self.tally.invalid_grant, 0, "a refresh token was used twice");
        assert_eq!(self.tally.early, 0, "a token was replaced long before its end");
        assert!(self.people.0 as usize <= self.people.1, "a person was needed, and no refresh was lost");
        assert!(self.done > 0 && self.tally.refreshes > 0, "nothing happened");
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<46}{:>8.0} s", "time", self.time.as_secs_f64())?;
        for (name, count) in &self.rows {
            writeln!(f, "{name:<46}{count:>8}")?;
        }
        let (median, slowest) = (self.median.as_millis(), self.slowest.as_millis());
        write!(f, "{:<46}{median:>8} ms\n{:<46}{slowest:>8} ms", "median run", "slowest run")
    }
}

fn row(name: &str, count: usize) -> (String, u64) {
    (name.to_owned(), count as u64)
}

fn sum(one: Tally, other: Tally) -> Tally {
    Tally {
        codes: one.codes + other.codes,
        refreshes: one.refreshes + other.refreshes,
        early: one.early + other.early,
        invalid_grant: one.invalid_grant + other.invalid_grant,
    }
}
