//! From text to nodes: saphyr-parser's events, with limits (N8) and the YAML a flow may not use.
//!
//! Positions come from this pass; it stops at the first thing that is no YAML, and collects
//! duplicate keys, tags, merge keys and further documents.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::code::Code;
use crate::node::{Key, Kind, Node, Scalar, Style};
use crate::problems::Problems;

/// N8: how deep maps and lists may nest.
const MOST_DEPTH: usize = 64;
/// N8: how many nodes a file may have, those that aliases repeat included.
const MOST_NODES: usize = 50_000;
/// N8: how many aliases a file may use.
const MOST_ALIASES: usize = 100;

/// Reads the file's one document; nothing if it is no YAML or breaks a limit, which is then a problem.
pub(crate) fn parse(problems: &mut Problems<'_>) -> Option<Node> {
    let text = crate::trap::clear(problems);
    let mut reader = Reader {
        events: Parser::new_from_str(&text),
        offsets: Offsets::of(&text),
        problems,
        anchors: HashMap::new(),
        nodes: 0,
        aliases: 0,
    };
    reader.document().unwrap_or_default()
}

/// Reading ended early; why is among the problems.
struct Stop;

struct Reader<'p, 's, 't> {
    events: Parser<'t, saphyr_parser::StrInput<'t>>,
    offsets: Offsets,
    problems: &'p mut Problems<'s>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    aliases: usize,
}

impl<'t> Reader<'_, '_, 't> {
    fn document(&mut self) -> Result<Option<Node>, Stop> {
        let mut root = None;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::DocumentStart(_) if root.is_some() => {
                    let problem = self.problems.error(
                        Code::SeveralDocuments,
                        ("", self.offsets.range(span)),
                        "the file holds more than one document; a file is one flow",
                    );
                    problem.set_help("put what follows `---` into a file of its own");
                    return Ok(root);
                }
                Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Nothing => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
        Ok(root)
    }

    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, Stop> {
        match self.events.next() {
            None => Ok(None),
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(error)) => Err(self.not_yaml(&error)),
        }
    }

    fn not_yaml(&mut self, error: &ScanError) -> Stop {
        let at = self.offsets.byte(error.marker().index());
        crate::trap::explain(self.problems, at, error.info());
        Stop
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Stop> {
        let bytes = self.offsets.range(span);
        self.count(1, &bytes)?;
        if depth > MOST_DEPTH {
            return Err(self.too_complex(bytes, format!("nested more than {MOST_DEPTH} levels deep")));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &bytes);
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let kind = Kind::Scalar(Scalar { text: text.into_owned(), style });
                Ok(self.keep(anchor, Node { bytes, kind }, 1))
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), &bytes);
                self.list(anchor, bytes, depth)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), &bytes);
                self.map(anchor, bytes, depth)
            }
            Event::Alias(anchor) => self.alias(anchor, bytes),
            _ => Err(self.too_complex(bytes, "not a value".to_owned())),
        }
    }

    fn list(&mut self, anchor: usize, start: Range<usize>, depth: usize) -> Result<Node, Stop> {
        let before = self.nodes;
        let mut items = Vec::new();
        let mut end = start.end;
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::SequenceEnd) {
                end = end.max(self.offsets.range(span).start);
                break;
            }
            items.push(self.node(event, span, depth + 1)?);
            end = items.last().map_or(end, |item| item.bytes.end);
        }
        let node = Node { bytes: start.start..end, kind: Kind::List(items) };
        Ok(self.keep(anchor, node, self.nodes - before + 1))
    }

    fn map(&mut self, anchor: usize, start: Range<usize>, depth: usize) -> Result<Node, Stop> {
        let before = self.nodes;
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut places: HashMap<String, Range<usize>> = HashMap::new();
        let mut merged = Vec::new();
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key = self.node(event, span, depth + 1)?;
            let is_merge = self.refuse_merge(&key);
            let key = self.key(key);
            let Some((event, span)) = self.next()? else { break };
            let value = self.node(event, span, depth + 1)?;
            if is_merge {
                merged.push(value);
            } else if let Some(key) = key.filter(|key| self.is_new(&mut places, key)) {
                entries.push((key, value));
            }
        }
        entries.extend(
            merged
                .into_iter()
                .flat_map(Node::into_entries)
                .filter(|(key, _)| !places.contains_key(&key.text)),
        );
        let end = entries.last().map_or(start.end, |(_, value)| value.bytes.end);
        let node = Node { bytes: start.start..end, kind: Kind::Map(entries) };
        Ok(self.keep(anchor, node, self.nodes - before + 1))
    }

    /// A merge key is a mistake; what it names is read all the same, so that nothing else is said of its lack.
    fn refuse_merge(&mut self, key: &Node) -> bool {
        let is_merge = key.scalar().is_some_and(|scalar| scalar.text == "<<" && scalar.style == Style::Plain);
        if is_merge {
            let message = "merge keys (`<<`) are not part of the language";
            let problem = self.problems.error(Code::TagOrMerge, ("", key.bytes.clone()), message);
            problem.set_help("write the keys out, or repeat a whole value with an alias (`*name`)");
        }
        is_merge
    }

    fn key(&mut self, node: Node) -> Option<Key> {
        let bytes = node.bytes.clone();
        match node.kind {
            Kind::Scalar(scalar) => Some(Key { text: scalar.text, bytes }),
            Kind::List(_) | Kind::Map(_) => {
                crate::trap::key_is_no_text(self.problems, bytes);
                None
            }
        }
    }

    fn is_new(&mut self, places: &mut HashMap<String, Range<usize>>, key: &Key) -> bool {
        let Some(first) = places.insert(key.text.clone(), key.bytes.clone()) else {
            return true;
        };
        let line = self.problems.source().place("", first).line;
        let problem = self.problems.error(
            Code::DuplicateKey,
            ("", key.bytes.clone()),
            format!("`{}` stands twice in one map; the other is on line {line}", key.text),
        );
        problem.set_help("keep one of the two");
        false
    }

    fn alias(&mut self, anchor: usize, bytes: Range<usize>) -> Result<Node, Stop> {
        self.aliases += 1;
        if self.aliases > MOST_ALIASES {
            return Err(self.too_complex(bytes, format!("more than {MOST_ALIASES} aliases")));
        }
        let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
            return Err(self.too_complex(bytes, "an alias that contains itself".to_owned()));
        };
        self.count(size, &bytes)?;
        Ok(node)
    }

    fn keep(&mut self, anchor: usize, node: Node, size: usize) -> Node {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        node
    }

    fn count(&mut self, nodes: usize, bytes: &Range<usize>) -> Result<(), Stop> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            return Err(self.too_complex(
                bytes.clone(),
                format!("more than {MOST_NODES} values, aliases counted in full"),
            ));
        }
        Ok(())
    }

    fn too_complex(&mut self, bytes: Range<usize>, what: String) -> Stop {
        let message = format!("the file is too complex: {what}");
        let problem = self.problems.error(Code::TooComplex, ("", bytes), message);
        problem.set_help("move data out of the flow and give it as an input: --vars inputs.json");
        Stop
    }

    fn refuse_tag(&mut self, has_tag: bool, bytes: &Range<usize>) {
        if has_tag {
            let problem = self.problems.error(
                Code::TagOrMerge,
                ("", bytes.clone()),
                "tags (`!`) are not part of the language",
            );
            problem.set_help("quote the value if it is a text that starts with `!`");
        }
    }
}

/// saphyr counts characters; places count bytes.
enum Offsets {
    Same,
    Bytes(Vec<usize>),
}

impl Offsets {
    fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Self::Same;
        }
        Self::Bytes(text.char_indices().map(|(at, _)| at).chain([text.len()]).collect())
    }

    fn byte(&self, character: usize) -> usize {
        match self {
            Self::Same => character,
            Self::Bytes(bytes) => bytes.get(character).or(bytes.last()).copied().unwrap_or_default(),
        }
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.byte(span.start.index())..self.byte(span.end.index())
    }
}
