//! Reads `trigger`: what starts the flow, and what must hold then.

use croner::parser::{CronParser, Seconds};
use flowrun_template::{Mention, Segment};
use jiff::tz::TimeZone;

use crate::case::word;
use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{Keys, wrong_shape};
use crate::node::Node;
use crate::suggest::instead;
use crate::trigger::{
    Busy, EventTrigger, KINDS, Match, MessageTrigger, Proof, Reply, ScheduleTrigger, Trigger, WebhookTrigger,
    fields,
};

const MESSAGE: &[&str] =
    &["channels", "accounts", "keywords", "match", "if", "interrupt", "default", "while_busy"];
const WEBHOOK: &[&str] = &["path", "method", "auth", "reply", "timeout"];
const SCHEDULE: &[&str] = &["cron", "zone", "missed", "overlap"];
const EVENT: &[&str] = &["name", "if"];

impl Compiler<'_, '_, '_> {
    /// Reads what starts the flow.
    pub(super) fn trigger(&mut self, node: &Node) {
        let Some(mut keys) = Keys::of(node, "trigger", self.problems) else { return };
        let found: Vec<&str> = KINDS.iter().copied().filter(|kind| node.get(kind).is_some()).collect();
        let [kind] = found.as_slice() else {
            if found.is_empty() && KINDS.iter().any(|kind| keys.hold_near_miss(kind, KINDS)) {
                return keys.refuse_rest(KINDS, self.problems);
            }
            let wanted = "a flow has one trigger: `message`, `webhook`, `schedule` or `event`";
            let problem = self.problems.error(Code::Trigger, ("trigger", node.bytes.clone()), wanted);
            return problem.set_help("trigger: { message: { keywords: [hello] } }");
        };
        let Some(settings) = keys.take(kind) else { return };
        let path = keys.path_of(kind);
        keys.refuse_rest(KINDS, self.problems);
        self.trigger_fields = fields(kind);
        self.trigger = match *kind {
            "message" => self.message_trigger(settings, &path),
            "webhook" => self.webhook_trigger(settings, &path),
            "schedule" => self.schedule_trigger(settings, &path),
            _ => self.event_trigger(settings, &path),
        };
    }

    fn message_trigger(&mut self, node: &Node, path: &str) -> Option<Trigger> {
        if node.is_null() {
            return Some(Trigger::Message(MessageTrigger::default()));
        }
        let mut keys = Keys::of(node, path, self.problems)?;
        let hows = [
            ("exact", Match::Exact),
            ("prefix", Match::Prefix),
            ("contains", Match::Contains),
            ("regex", Match::Regex),
        ];
        let busy = [("queue", Busy::Queue), ("drop", Busy::Drop), ("replace", Busy::Replace)];
        let keywords = keys.texts("keywords", self.problems);
        let how = self.choice(&mut keys, "match", &hows).unwrap_or_default();
        for (keyword, node) in keywords.iter().filter(|_| how == Match::Regex) {
            if let Err(error) = regex::Regex::new(keyword) {
                let message = format!("`{keyword}` is no regular expression");
                let at = format!("{path}.keywords");
                let problem = self.problems.error(Code::Trigger, (&at, node.bytes.clone()), message);
                problem.causes.push(error.to_string().lines().last().unwrap_or_default().to_owned());
                problem.set_help("match: regex, keywords: ['order [0-9]+']");
            }
        }
        let texts = |keys: &mut Keys<'_>, key, problems: &mut _| {
            keys.texts(key, problems).into_iter().map(|(text, _)| text.to_owned()).collect()
        };
        let trigger = MessageTrigger {
            channels: texts(&mut keys, "channels", self.problems),
            accounts: texts(&mut keys, "accounts", self.problems),
            keywords: keywords.into_iter().map(|(text, _)| text.to_owned()).collect(),
            how,
            condition: self.trigger_condition(&mut keys),
            interrupts: self.flag(&mut keys, "interrupt"),
            is_default: self.flag(&mut keys, "default"),
            while_busy: self.choice(&mut keys, "while_busy", &busy).unwrap_or_default(),
        };
        keys.refuse_rest(MESSAGE, self.problems);
        Some(Trigger::Message(trigger))
    }

    fn webhook_trigger(&mut self, node: &Node, path: &str) -> Option<Trigger> {
        let mut keys = Keys::of(node, path, self.problems)?;
        let Some(at) = keys.take("path") else {
            self.missing_of(keys, ("path", WEBHOOK), node);
            return None;
        };
        let text = at.text().unwrap_or_default();
        let is_path = !text.trim_matches('/').is_empty() && !text.contains(['{', '?', '#', ' ', '\\']);
        if !is_path || text.split('/').any(|part| part == "..") {
            let wanted = "`path` is a literal path beneath the host's own";
            wrong_shape(self.problems, (&keys.path_of("path"), at), wanted, "path: orders/paid");
        }
        let replies = [("outputs", Reply::Outputs), ("accepted", Reply::Accepted)];
        let trigger = WebhookTrigger {
            path: text.trim_matches('/').to_owned(),
            method: keys.text("method", self.problems).unwrap_or("POST").to_uppercase(),
            auth: keys.take("auth").and_then(|node| self.proof(node, &format!("{path}.auth"))),
            reply: self.choice(&mut keys, "reply", &replies).unwrap_or_default(),
            timeout: keys.take("timeout").and_then(|node| self.duration(node, &format!("{path}.timeout"))),
        };
        keys.refuse_rest(WEBHOOK, self.problems);
        Some(Trigger::Webhook(trigger))
    }

    /// How a caller proves who it is: with a secret that the flow declares.
    fn proof(&mut self, node: &Node, path: &str) -> Option<Proof> {
        let mut keys = Keys::of(node, path, self.problems)?;
        let help = "auth: { hmac: WEBHOOK_SECRET }";
        let found = keys.entry("hmac").or_else(|| keys.entry("bearer"));
        keys.refuse_rest(&["hmac", "bearer"], self.problems);
        let Some((key, secret)) = found else {
            wrong_shape(self.problems, (path, node), "`auth` is `hmac` or `bearer` with a secret", help);
            return None;
        };
        let name = secret.text().unwrap_or_default().to_owned();
        if !self.secrets.contains(&name) {
            let at = format!("{path}.{}", key.text);
            let message = format!("the flow declares no secret `{name}`");
            let problem = self.problems.error(Code::UndeclaredSecret, (&at, secret.bytes.clone()), message);
            problem.set_help(format!("declare it: secrets: [{name}]"));
        }
        Some(if key.text == "hmac" { Proof::Hmac(name) } else { Proof::Bearer(name) })
    }

    fn schedule_trigger(&mut self, node: &Node, path: &str) -> Option<Trigger> {
        let mut keys = Keys::of(node, path, self.problems)?;
        let Some(cron) = keys.take("cron") else {
            self.missing_of(keys, ("cron", SCHEDULE), node);
            return None;
        };
        let zone = keys.take("zone");
        let trigger = ScheduleTrigger {
            cron: cron.text().unwrap_or_default().to_owned(),
            zone: zone.and_then(Node::text).unwrap_or("UTC").to_owned(),
            makes_up: self.choice(&mut keys, "missed", &[("once", true), ("skip", false)]).unwrap_or(true),
            queues: self.choice(&mut keys, "overlap", &[("queue", true), ("skip", false)]).unwrap_or(false),
        };
        if let Err(error) = CronParser::builder().seconds(Seconds::Disallowed).build().parse(&trigger.cron) {
            let message = format!("`{}` is no schedule", trigger.cron);
            let problem =
                self.problems.error(Code::Trigger, (&keys.path_of("cron"), cron.bytes.clone()), message);
            problem.causes.push(error.to_string());
            problem.set_help("cron: \"0 9 * * 1-5\" is nine o'clock on working days");
        }
        if let (Some(zone), Err(_)) = (zone, TimeZone::get(&trigger.zone)) {
            let message = format!("`{}` is no time zone", trigger.zone);
            let problem =
                self.problems.error(Code::Trigger, (&keys.path_of("zone"), zone.bytes.clone()), message);
            problem.set_help("zone: Europe/Brussels");
        }
        keys.refuse_rest(SCHEDULE, self.problems);
        Some(Trigger::Schedule(trigger))
    }

    fn event_trigger(&mut self, node: &Node, path: &str) -> Option<Trigger> {
        let mut keys = Keys::of(node, path, self.problems)?;
        let Some(name) = keys.text("name", self.problems) else {
            self.missing_of(keys, ("name", EVENT), node);
            return None;
        };
        let condition = self.trigger_condition(&mut keys);
        keys.refuse_rest(EVENT, self.problems);
        Some(Trigger::Event(EventTrigger { name: name.to_owned(), condition }))
    }

    fn trigger_condition(
        &mut self,
        keys: &mut Keys<'_>,
    ) -> Option<flowrun_machine::Placed<flowrun_template::Logic>> {
        let path = keys.path_of("if");
        keys.take("if").and_then(|node| self.logic(node, &path))
    }

    fn choice<T: Copy>(&mut self, keys: &mut Keys<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
        let path = keys.path_of(key);
        keys.take(key).and_then(|node| word(node, &path, words, self.problems))
    }

    fn flag(&mut self, keys: &mut Keys<'_>, key: &str) -> bool {
        self.choice(keys, key, &[("true", true), ("false", false)]).unwrap_or_default()
    }

    /// `trigger.text`: only what a trigger of this kind has.
    pub(super) fn judge_trigger(&mut self, mention: &Mention, path: &str, bytes: std::ops::Range<usize>) {
        if self.trigger_fields.is_empty() {
            let message = "this flow has no `trigger`, so nothing is known of one";
            let problem = self.problems.error(Code::Undeclared, (path, bytes), message);
            return problem.set_help("trigger: { message: {} }, or take it as an input");
        }
        if let Some(Segment::Key(field)) = mention.path.first()
            && !self.trigger_fields.contains(&field.as_str())
        {
            let message = format!("this flow's trigger has no `{field}`");
            let problem = self.problems.error(Code::Undeclared, (path, bytes), message);
            problem.set_help(instead(field, self.trigger_fields.iter().copied()));
        }
    }

    /// `callbacks.<id>`: the URL of a step that waits for a webhook.
    pub(super) fn judge_callback(&mut self, mention: &Mention, path: &str, bytes: std::ops::Range<usize>) {
        let id = match mention.path.first() {
            Some(Segment::Key(id)) => id.as_str(),
            _ => "",
        };
        if !self.callback_ids.contains(id) {
            let message = format!("no step with the id `{id}` waits for a webhook");
            let mut ids: Vec<&str> = self.callback_ids.iter().map(String::as_str).collect();
            ids.sort_unstable();
            let help = match ids.is_empty() {
                true => {
                    format!("- id: {}\n  wait: {{ webhook: }}", if id.is_empty() { "confirmed" } else { id })
                }
                false => instead(id, ids),
            };
            self.problems.error(Code::UnknownStep, (path, bytes), message).set_help(help);
        }
    }
}
