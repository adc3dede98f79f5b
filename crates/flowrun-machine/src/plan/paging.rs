//! Calls whose answer comes in pages (`paginate`).

use flowrun_template::{Logic, Slot};

use crate::plan::{Pc, Placed};

/// How a call goes through its pages. What a page is, and where the next one is, its kind knows.
#[derive(Debug, Clone)]
pub struct PagingPlan {
    /// What ends it: an expression in which the page is `item`.
    pub until: Option<Placed<Logic>>,
    /// The name `item`, where the expression reads it.
    pub item: Option<Slot>,
    /// The most pages.
    pub max_pages: u64,
    /// Whether one `for_each`, and nothing else, reads its items: then each page is fetched when it is needed.
    pub streams: bool,
}

/// Where a `for_each` gets its items from, if they are streamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamPlan {
    /// The paged call, as an index into [`Plan::calls`](crate::Plan::calls).
    pub call: usize,
    /// The op that fetches one more page.
    pub fetch: Pc,
}
