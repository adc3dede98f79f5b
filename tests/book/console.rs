//! What a page shows on a console: commands, and what they say.

use crate::person::Ended;

const ANY: &str = "…";

/// One command and the lines beneath it.
#[derive(Debug)]
pub(crate) struct Shown<'t> {
    command: &'t str,
    lines: Vec<&'t str>,
    code: i32,
}

/// The commands of a block; a command begins with `$ flowrun`.
pub(crate) fn commands(text: &str) -> Vec<Shown<'_>> {
    let mut all: Vec<Shown<'_>> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ flowrun ") {
            all.push(Shown { command, lines: Vec::new(), code: 0 });
            continue;
        }
        let Some(last) = all.last_mut() else { continue };
        let code = line.strip_prefix("(exit code ").and_then(|rest| rest.strip_suffix(')')?.parse().ok());
        match code {
            Some(code) => last.code = code,
            None => last.lines.push(line),
        }
    }
    all
}

impl<'t> Shown<'t> {
    /// The words of the command; what stands in double quotes is one.
    pub(crate) fn words(&self) -> Vec<&'t str> {
        let quoted = self.command.split('"').enumerate();
        quoted
            .flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
            .collect()
    }

    /// How it is not what came of it.
    pub(crate) fn differs(&self, ended: &Ended) -> Option<String> {
        let said = format!("{}{}", ended.stderr, ended.stdout);
        if ended.code != Some(self.code) {
            return Some(format!("exit code {:?}, not {}:\n{said}", ended.code, self.code));
        }
        let mut streams = [ended.stderr.lines().collect::<Vec<_>>(), ended.stdout.lines().collect()];
        let (mut may_skip, mut is_loose) = (false, false);
        for line in &self.lines {
            if *line == ANY {
                (may_skip, is_loose) = (true, true);
                continue;
            }
            let found = streams.iter_mut().find_map(|stream| {
                let at =
                    stream.iter().position(|said| is_like(said, line)).filter(|at| may_skip || *at == 0)?;
                Some(stream.drain(..=at).count())
            });
            if found.is_none() {
                return Some(format!("`{line}` is not what comes next in:\n{said}"));
            }
            may_skip = false;
        }
        let left = streams.iter().flatten().next().filter(|_| !is_loose);
        left.map(|left| format!("the page does not show `{left}`"))
    }
}

/// Whether a line is as it is shown, where `…` stands for anything.
fn is_like(said: &str, shown: &str) -> bool {
    let mut parts = shown.split(ANY);
    let Some(mut rest) = said.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
