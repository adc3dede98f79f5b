//! Many runs for a long time against a provider whose tokens live a minute and whose token endpoint often fails.
//!
//! `cargo soak -- --minutes 60` runs it for an hour from a release build; in the ordinary suite it takes seconds, with
//! shorter tokens and worse weather. Four processes at a time run the seed's flow; each run that fails is traced to a
//! failure that was injected into its integration, and one that cannot be is a failure of the test.
//!
//! What flowrun can only answer by asking for a person is a request that was sent and not answered: the provider may
//! have replaced the refresh token (OA-45). Half of those injected here were acted on and half not; from outside they
//! look the same, so both count as lost, and a person authorises again.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "torture/chance.rs"]
mod chance;
#[path = "torture/operator.rs"]
mod operator;
#[path = "soak/run.rs"]
mod run;
#[path = "soak/table.rs"]
mod table;
#[path = "torture/town.rs"]
mod town;
#[path = "soak/weather.rs"]
mod weather;

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use chance::Chance;
use operator::Operator;
use run::{Kind, Run};
use table::Table;
use town::Town;
use weather::Weather;

/// How many minutes; without it, the short form of the suite.
const MINUTES: &str = "FLOWRUN_SOAK_MINUTES";

const PROCESSES: u64 = 4;

/// How long, how fast, and how bad.
struct Plan {
    time: Duration,
    /// From the start of one run of a process to the start of its next.
    pace: Duration,
    tokens_live: Duration,
    integrations: usize,
    /// Of a hundred token calls, how many fail.
    failing: u64,
}

impl Plan {
    fn for_minutes(minutes: u64) -> Self {
        Self {
            time: Duration::from_secs(60 * minutes),
            pace: Duration::from_secs(1),
            tokens_live: Duration::from_secs(60),
            integrations: 8,
            failing: 5,
        }
    }

    fn short() -> Self {
        Self {
            time: Duration::from_secs(20),
            pace: Duration::from_millis(200),
            tokens_live: Duration::from_secs(4),
            integrations: 4,
            failing: 25,
        }
    }
}

/// An integration, its provider, and what that is made to do.
struct Site {
    name: String,
    town: Town,
    weather: Weather,
    /// Whoever authorises it, one at a time; how often that was needed, the first time not counted.
    person: Mutex<u32>,
}

/// OA-38, OA-41, OA-44, OA-45: a failing provider costs no run that could succeed, and no grant.
#[test]
fn every_run_that_could_succeed_does_while_tokens_end_and_the_provider_fails_oa_44() {
    let minutes = std::env::var_os(MINUTES).map(|it| it.to_string_lossy().parse().expect("minutes"));
    let plan = minutes.map_or_else(Plan::short, Plan::for_minutes);
    let operator = Operator::new();
    let sites: Vec<_> = (0..plan.integrations).map(|index| Site::open(&operator, index, &plan)).collect();
    let began = Instant::now();
    let end = began + plan.time;
    let runs = thread::scope(|scope| {
        let (operator, sites, plan) = (&operator, &sites, &plan);
        let process = |seed| move || work(operator, sites, (plan, end), Chance::of(seed));
        let processes: Vec<_> = (1..=PROCESSES).map(|seed| scope.spawn(process(seed))).collect();
        processes.into_iter().flat_map(|process| process.join().expect("a worker ends")).collect::<Vec<_>>()
    });
    let table = Table::of(&sites, &runs, began.elapsed());
    println!("{table}");
    table.holds();
}

impl Site {
    fn open(operator: &Operator, index: usize, plan: &Plan) -> Self {
        let (name, town) = (format!("teamleader-{index}"), Town::start());
        town.tokens_live(plan.tokens_live);
        operator.add(&name, &town.origin());
        let site =
            Self { weather: Weather::of(index as u64, plan.failing), name, town, person: Mutex::new(0) };
        operator.authorise(&site.name, |url| site.town.consent(url));
        site.weather.begin(&site.town);
        site
    }

    /// A person looks at it, and authorises it until it is authorised.
    fn authorise(&self, operator: &Operator) {
        let mut times = self.person.lock().expect("no worker panics here");
        // Another process's person may have been here.
        *times += u32::from(operator.show(&self.name).state != "authorized");
        while operator.show(&self.name).state != "authorized" {
            operator.authorise(&self.name, |url| self.town.consent(url));
        }
    }

    /// How often a person had to authorise it, the first time not counted.
    fn people(&self) -> u32 {
        *self.person.lock().expect("no worker panics here")
    }
}

/// One process after another, until the time is over.
fn work(operator: &Operator, sites: &[Site], (plan, end): (&Plan, Instant), mut chance: Chance) -> Vec<Run> {
    let mut runs = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        let index = usize::try_from(chance.below(sites.len() as u64)).expect("small");
        let site = &sites[index];
        let run = Run::of(operator, &site.name, &site.weather);
        if matches!(run.kind, Kind::NeedsAPerson) {
            site.authorise(operator);
        }
        runs.push(run);
        // The pace of the load, not a wait for anything.
        thread::sleep(plan.pace.saturating_sub(began.elapsed()));
    }
    runs
}
