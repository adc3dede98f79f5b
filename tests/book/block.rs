//! The fenced blocks of a page.

/// One block: what stands after its backticks, its text, and the line it begins at.
#[derive(Debug)]
pub(crate) struct Block<'t> {
    pub(crate) info: &'t str,
    pub(crate) text: &'t str,
    pub(crate) line: usize,
}

/// Every block that begins at the start of a line.
pub(crate) fn blocks(page: &str) -> Vec<Block<'_>> {
    let (mut blocks, mut open, mut at) = (Vec::new(), None, 0);
    for (number, line) in (1..).zip(page.split_inclusive('\n')) {
        let start = at;
        at += line.len();
        let Some(info) = line.strip_prefix("```") else { continue };
        open = match open {
            None => Some((info.trim(), at, number)),
            Some((info, from, line)) => {
                blocks.push(Block { info, text: &page[from..start], line });
                None
            }
        };
    }
    blocks
}
