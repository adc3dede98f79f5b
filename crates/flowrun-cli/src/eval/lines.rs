//! Many paths in one process: `{"path", "doc"}` a line in, `{"values"}` or `{"error"}` a line out.
//!
//! For programs that try many paths, such as a conformance suite of RFC 9535. A line that is no question gets an
//! answer too, so that questions and answers stay in step.

use std::io::{self, BufRead};

use flowrun::template::{Path, Picked, SyntaxError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::terminal::Terminal;

/// One question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    path: String,
    doc: Value,
}

/// Answers every line of stdin.
pub(crate) fn answer(terminal: &Terminal) -> Result<Exit, Complaint> {
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| {
            Complaint::new(Exit::Usage, "stdin cannot be read")
                .because(error)
                .help("send UTF-8, a question a line")
        })?;
        written(terminal.json(&answered(&line)))?;
    }
    Ok(Exit::Done)
}

fn answered(line: &str) -> Value {
    let question: Question = match serde_json::from_str(line) {
        Ok(question) => question,
        Err(error) => return refusal("question", &error.to_string(), error.column()),
    };
    let path = match Path::compile(&question.path) {
        Ok(path) => path,
        Err(error) => return unreadable(&question.path, &error),
    };
    match path.pick(&question.doc) {
        Ok(Picked::Missing) => json!({"values": []}),
        Ok(Picked::One(value)) => json!({"values": [value]}),
        Ok(Picked::Many(values)) => json!({"values": values}),
        Err(error) => refusal(&snake(&format!("{:?}", error.kind)), &error.message, 1),
    }
}

fn unreadable(path: &str, error: &SyntaxError) -> Value {
    let before = path.get(..error.span.start).unwrap_or(path);
    refusal(&snake(&format!("{:?}", error.kind)), &error.message, before.chars().count() + 1)
}

fn refusal(code: &str, message: &str, column: usize) -> Value {
    json!({"error": {"code": code, "message": message, "column": column}})
}

/// `IllTyped` as `ill_typed`: the reasons' own names, in the spelling of JSON keys.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(question: Value, answer: Value) {
        assert_eq!(answered(&question.to_string()), answer);
    }

    #[test]
    fn every_path_gives_a_list_singular_ones_of_at_most_one() {
        check(json!({"path": "$.a", "doc": {"a": 1}}), json!({"values": [1]}));
        check(json!({"path": "$.b", "doc": {"a": 1}}), json!({"values": []}));
        check(json!({"path": "$.a", "doc": {"a": null}}), json!({"values": [null]}));
        check(json!({"path": "$[*]", "doc": [1, [2]]}), json!({"values": [1, [2]]}));
    }

    #[test]
    fn a_path_that_the_rfc_refuses_has_a_code_and_a_column() {
        let answer = answered(&json!({"path": "$[?length(@.*) > 1]", "doc": []}).to_string());
        assert_eq!(answer["error"]["code"], "ill_typed", "{answer}");
        assert!(answer["error"]["column"].as_u64() > Some(1), "{answer}");
    }

    #[test]
    fn a_line_that_is_no_question_is_answered_too() {
        for line in ["", "[]", r#"{"path": "$"}"#, r#"{"path": "$", "doc": 1, "x": 2}"#] {
            assert_eq!(answered(line)["error"]["code"], "question", "{line}");
        }
    }
}
