//! Goes through the pages of a call: each is a call of its own, with its own attempts and its own key.
//!
//! Where one `for_each` alone reads the items, the pages stream: the step fetches the first, the loop those after it, one
//! ahead of what its items need. Otherwise they are gathered, and the step's output is `{items, pages}`.

use std::collections::VecDeque;

use flowrun_template::{ErrorKind, Rendered};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::advance::{Step, Walk};
use crate::failure::Failure;
use crate::plan::PagingPlan;
use crate::strand::{Pending, Reason, StrandEnd};
use crate::variables::json_size;

/// Which page a call is to fetch.
#[derive(Debug, Clone, PartialEq)]
pub struct PageAsk {
    /// Its number, counting from 1.
    pub number: u64,
    /// What the page before said of this one; nothing of the first.
    pub cursor: Option<Value>,
}

/// A page to be fetched, and what is known of those before it.
#[derive(Debug, Clone)]
pub(crate) struct Turning {
    pub(crate) ask: PageAsk,
    /// What the items of the page before came to: the same again is the end.
    pub(crate) last: Option<[u8; 32]>,
    /// The items so far, where they are gathered, and the room they take.
    pub(crate) items: Vec<Value>,
    pub(crate) size: usize,
}

/// Pages that come as they are needed.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) settings: Rendered,
    pub(crate) queue: VecDeque<Value>,
    /// The page that comes next, unless the last one has been fetched.
    pub(crate) next: Option<Turning>,
    pub(crate) is_fetching: bool,
}

impl Turning {
    /// The first page.
    pub(crate) fn first() -> Self {
        Self { ask: PageAsk { number: 1, cursor: None }, last: None, items: Vec::new(), size: 0 }
    }
}

impl Walk<'_> {
    /// A page came: the next is fetched, or all are there, or they wait for the loop that reads them.
    pub(crate) fn page_came(
        &mut self,
        mut pending: Pending,
        (items, next, body): (Vec<Value>, Option<Value>, Value),
    ) {
        let plan = self.plan;
        let (Some(paging), Some(mut turning)) = (&plan.calls[pending.call].paging, pending.turning.take())
        else {
            return;
        };
        let came = match self.after(paging, &turning, (&items, next, body)) {
            Err(reason) => Err(reason),
            Ok(after) if paging.streams => {
                self.streamed(pending, items, after);
                Ok(())
            }
            Ok(after) => {
                if !after.is_again {
                    turning.size += items.iter().map(json_size).sum::<usize>();
                    turning.items.extend(items);
                }
                self.gathered(pending, *turning, after.next)
            }
        };
        if let Err(reason) = came {
            self.unwind(reason);
        }
    }

    /// What follows a page.
    fn after(
        &mut self,
        paging: &PagingPlan,
        turning: &Turning,
        (items, next, body): (&[Value], Option<Value>, Value),
    ) -> Result<After, Reason> {
        let digest: [u8; 32] = Sha256::digest(Value::from(items.to_vec()).to_string()).into();
        let is_again = turning.last == Some(digest);
        if items.is_empty() || is_again || self.is_last(paging, body)? {
            return Ok(After { is_again, next: None });
        }
        let Some(cursor) = next else { return Ok(After { is_again, next: None }) };
        if turning.ask.number >= paging.max_pages {
            let message = format!("there are more than {} pages", paging.max_pages);
            let help = Some("raise `max_pages`, or end earlier with `until`".to_owned());
            return Err(self.error(Failure { help, ..Failure::new(ErrorKind::Exhausted, message) }));
        }
        let ask = PageAsk { number: turning.ask.number + 1, cursor: Some(cursor) };
        let next = Turning { ask, last: Some(digest), items: Vec::new(), size: 0 };
        Ok(After { is_again, next: Some(next) })
    }

    fn is_last(&mut self, paging: &PagingPlan, body: Value) -> Result<bool, Reason> {
        let Some(until) = &paging.until else { return Ok(false) };
        self.test_about(until, paging.item, body)
    }

    /// Asks for the next page, or gives all of them.
    fn gathered(&mut self, pending: Pending, turning: Turning, next: Option<Turning>) -> Step {
        if turning.size > self.plan.max_variable {
            let most = self.plan.max_variable;
            let message = format!("all pages together are larger than {most} bytes");
            let help = "let one `for_each` alone read `steps.<id>.output.items`, which takes a page at a time; or raise \
                        the flow's `limits: { variable: … }`";
            let failure = Failure { help: Some(help.to_owned()), ..Failure::new(ErrorKind::Limit, message) };
            return Err(self.error(failure));
        }
        if let Some(next) = next {
            let turning = Turning { items: turning.items, size: turning.size, ..next };
            self.attempt(Pending { attempt: 1, turning: Some(Box::new(turning)), ..pending });
            return Ok(());
        }
        let output = json!({ "items": turning.items, "pages": turning.ask.number });
        let variables = self.picked(pending.call, &output)?;
        self.keep(pending.call, pending.step, output, variables)
    }

    fn picked(&self, call: usize, output: &Value) -> Result<Vec<(flowrun_template::Slot, Value)>, Reason> {
        let plan = &self.plan.calls[call];
        let Some(picks) = &plan.picks else { return Ok(Vec::new()) };
        let picked = picks.part.pick(output).map_err(|error| self.error(Failure::of_pick(&error)))?;
        let slot = |name: &str| self.plan.slots.find(name);
        Ok(picked.into_iter().filter_map(|(name, value)| Some((slot(&name)?, value))).collect())
    }

    /// The first page waits in the strand for its loop; one after it goes to the loop that asked for it.
    fn streamed(&mut self, pending: Pending, items: Vec<Value>, after: After) {
        let items = if after.is_again { Vec::new() } else { items };
        let stream =
            Stream { settings: pending.settings, queue: items.into(), next: after.next, is_fetching: false };
        if self.strand.fetches.is_some() {
            self.strand.end = Some(StrandEnd::Page(Box::new(stream)));
        } else {
            self.strand.streams.insert(pending.call, stream);
            self.strand.pc += 1;
        }
    }
}

/// What follows a page.
struct After {
    /// It was the one before once more.
    is_again: bool,
    next: Option<Turning>,
}
