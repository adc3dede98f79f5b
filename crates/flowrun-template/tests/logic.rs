//! What an expression decides (L-6).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::HashMap;

use flowrun_template::{
    Logic, LogicErrorKind, Root, Scope, Segment, Side, Slot, Slots, SyntaxErrorKind, Type,
};
use jiff::Timestamp;
use serde_json::{Value, json};

struct Variables(HashMap<Slot, Value>);

impl Scope for Variables {
    fn value(&self, slot: Slot) -> Option<&Value> {
        self.0.get(&slot)
    }
}

fn variables() -> Value {
    json!({
        "status": "open", "price": 2.5, "quantity": 4, "name": "Doe", "empty": [], "nothing": null, "yes": true,
        "items": [3, 1, 2], "words": ["b", "A", "c"], "odd": {"odd key": {"x": 1}, "list": [[1], [2, 3]]},
        "deals": [
            {"status": "won", "value": 10, "owner": {"name": "Ann"}},
            {"status": "lost", "value": 5, "owner": {"name": "Bob"}},
            {"status": "won", "value": 7},
        ],
        "due": "2026-01-31T12:00:00Z",
    })
}

/// How an expression ends: a value, or the kind of its error and the source it points at.
fn outcome(source: &str) -> Result<Value, String> {
    let mut slots = Slots::new();
    let logic = Logic::compile(source, &mut slots)
        .map_err(|error| format!("{:?} at `{}`", error.kind, &source[error.span]))?;
    let Value::Object(members) = variables() else { unreachable!() };
    let scope = Variables(members.into_iter().map(|(name, value)| (slots.intern(&name), value)).collect());
    let now: Timestamp = "2026-02-01T12:00:00Z".parse().unwrap();
    logic.evaluate(&scope, now).map_err(|error| format!("{:?} at `{}`", error.kind, &source[error.span]))
}

fn check<const N: usize>(cases: [(&str, Result<Value, &str>); N]) {
    for (source, expected) in cases {
        assert_eq!(outcome(source), expected.map_err(str::to_owned), "{source}");
    }
}

#[test]
fn values_compare_and_calculate_as_written() {
    check([
        ("status == \"open\" and items|length > 2", Ok(json!(true))),
        ("price * quantity", Ok(json!(10.0))),
        ("7 / 2", Ok(json!(3.5))),
        ("7 // 2 + 7 % 4 * 2 ** 3", Ok(json!(27))),
        ("-7 // 2", Ok(json!(-4))),
        ("-7 % 3", Ok(json!(2))),
        ("1 + 2 * 3 - 4", Ok(json!(3))),
        ("2 ** -1", Ok(json!(0.5))),
        ("9007199254740993 + 1", Ok(json!(9007199254740994_u64))),
        ("\"a\" + \"b\" ~ 1", Ok(json!("ab1"))),
        ("[1] + items", Ok(json!([1, 3, 1, 2]))),
        ("\"ab\" * 2", Ok(json!("abab"))),
        ("1 == 1.0 and 1 != \"1\" and true != 1", Ok(json!(true))),
        ("1 < 2 <= 2 < 3", Ok(json!(true))),
        ("1 < 3 < 2", Ok(json!(false))),
        ("name in [\"Doe\", \"Ray\"] and \"o\" in name and \"x\" not in odd", Ok(json!(true))),
        ("not yes or nothing == none", Ok(json!(true))),
        ("null == none", Ok(json!(true))),
        ("\"a\" if yes else \"b\"", Ok(json!("a"))),
        ("{\"a\": {\"b\": items[-1]}}", Ok(json!({"a": {"b": 2}}))),
    ]);
}

#[test]
fn paths_mean_the_same_as_in_texts() {
    check([
        ("odd['odd key'].x", Ok(json!(1))),
        ("odd.list[1][0]", Ok(json!(2))),
        ("odd.list[1].0", Ok(json!(2))),
        ("items[-1]", Ok(json!(2))),
        ("items[1:]", Ok(json!([1, 2]))),
        ("items[::-1]", Ok(json!([2, 1, 3]))),
        ("name[:2]", Ok(json!("Do"))),
        ("deals[0].owner.name", Ok(json!("Ann"))),
    ]);
}

#[test]
fn what_is_undefined_is_an_error_anywhere_inside_a_result() {
    check([
        ("missing", Err("Undefined at `missing`")),
        ("odd.missing.x", Err("Undefined at `odd.missing`")),
        ("[1, items[9]]", Err("Undefined at `items[9]`")),
        ("{\"a\": deals[2].owner}", Err("Undefined at `deals[2].owner`")),
        ("nothing.x", Err("Undefined at `nothing.x`")),
        ("empty|first", Err("Undefined at `first`")),
        ("deals|map(attribute=\"owner.name\")|list", Err("Undefined at `map(attribute=\"owner.name\")`")),
        ("missing == 1 or yes", Err("Undefined at `missing`")),
    ]);
}

#[test]
fn defined_and_default_may_ask() {
    check([
        ("missing is defined", Ok(json!(false))),
        ("odd.missing.deep is undefined", Ok(json!(true))),
        ("nothing is defined", Ok(json!(true))),
        ("missing|default(3) + 1", Ok(json!(4))),
        ("items[9]|default(\"none\")", Ok(json!("none"))),
        ("nothing|default(1)", Ok(json!(null))),
        ("nothing|default(1, true)", Ok(json!(1))),
        ("yes or missing", Ok(json!(true))),
        ("deals|map(attribute=\"owner.name\", default=\"-\")|list", Ok(json!(["Ann", "Bob", "-"]))),
        ("deals|selectattr(\"owner\")|map(attribute=\"owner.name\")|list", Ok(json!(["Ann", "Bob"]))),
    ]);
}

#[test]
fn values_of_different_types_have_no_order_and_no_sum() {
    check([
        ("1 < \"a\"", Err("Types at `1 < \"a\"`")),
        ("name > quantity", Err("Types at `name > quantity`")),
        ("nothing >= 1", Err("Types at `nothing >= 1`")),
        ("items < items", Err("Types at `items < items`")),
        ("yes < 2", Err("Types at `yes < 2`")),
        ("name + 1", Err("Types at `name + 1`")),
        ("nothing + 1", Err("Types at `nothing + 1`")),
        ("[1, \"a\"]|sort", Err("Types at `sort`")),
        ("[1, \"a\"]|max", Err("Types at `max`")),
        ("now < due", Err("Types at `now < due`")),
        ("1 in name", Err("Types at `1 in name`")),
    ]);
}

#[test]
fn numbers_stay_finite() {
    check([
        ("1 / 0", Err("NotFinite at `1 / 0`")),
        ("1.5 // 0.0", Err("NotFinite at `1.5 // 0.0`")),
        ("5 % 0", Err("NotFinite at `5 % 0`")),
        ("10.0 ** 400", Err("NotFinite at `10.0 ** 400`")),
        ("9 ** 999", Err("NotFinite at `9 ** 999`")),
        ("18446744073709551615 + 1", Err("NotFinite at `18446744073709551615 + 1`")),
        ("(0 - 8) ** 0.5", Err("NotFinite at `0 - 8) ** 0.5`")),
    ]);
}

#[test]
fn filters_select_order_and_write() {
    check([
        ("deals|selectattr(\"status\", \"eq\", \"won\")|list|length", Ok(json!(2))),
        ("deals|rejectattr(\"value\", \"ge\", 7)|map(attribute=\"status\")|list", Ok(json!(["lost"]))),
        ("deals|sum(attribute=\"value\")", Ok(json!(22))),
        ("deals|sort(attribute=\"value\")|map(attribute=\"value\")|list", Ok(json!([5, 7, 10]))),
        (
            "deals|max(attribute=\"value\")",
            Ok(json!({"status": "won", "value": 10, "owner": {"name": "Ann"}})),
        ),
        ("items|select(\"gt\", 1)|list", Ok(json!([3, 2]))),
        ("items|reject(\"odd\")|list", Ok(json!([2]))),
        ("words|sort", Ok(json!(["A", "b", "c"]))),
        ("words|sort(case_sensitive=true, reverse=true)", Ok(json!(["c", "b", "A"]))),
        ("words|map(\"upper\")|join(\"-\")", Ok(json!("B-A-C"))),
        ("[1, 1.0, 2, \"a\", \"A\"]|unique|list", Ok(json!([1, 2, "a"]))),
        ("items|reverse|first + items|last", Ok(json!(4))),
        ("items|min ~ items|max", Ok(json!("13"))),
        ("\" a,b \"|trim|split(\",\")", Ok(json!(["a", "b"]))),
        ("\"hello wORLD\"|title ~ \"x\"|capitalize", Ok(json!("Hello WorldX"))),
        ("\"a-b\"|replace(\"-\", \"+\")|urlencode", Ok(json!("a%2Bb"))),
        ("\"42\"|int + \"1.5\"|float + 2.7|int", Ok(json!(45.5))),
        ("\"x\"|int(0)", Ok(json!(0))),
        ("\"x\"|int", Err("Types at `int`")),
        ("2.567|round(2)", Ok(json!(2.57))),
        ("-3|abs", Ok(json!(3))),
        ("{\"b\": 1, \"a\": 2}|items|list", Ok(json!([["b", 1], ["a", 2]]))),
        ("{\"b\": 1}|list", Ok(json!(["b"]))),
        ("{\"b\": [1, none]}|tojson", Ok(json!("{\"b\":[1,null]}"))),
        ("range(3)|list + range(5, 1, -2)|list", Ok(json!([0, 1, 2, 5, 3]))),
    ]);
}

#[test]
fn tests_ask_what_a_value_is() {
    check([
        (
            "name is startingwith \"D\" and name is endingwith(\"e\") and name is containing \"o\"",
            Ok(json!(true)),
        ),
        ("1 is integer and 1.5 is float and 1 is number and name is string", Ok(json!(true))),
        ("items is sequence and odd is mapping and yes is boolean and nothing is none", Ok(json!(true))),
        ("4 is divisibleby 2 and 3 is odd and 3 is not even and 3 is in items", Ok(json!(true))),
        ("name is divisibleby 2", Err("Types at `name is divisibleby 2`")),
    ]);
}

#[test]
fn time_is_calculated_with_durations() {
    check([
        ("now - timestamp(due) >= duration(\"24h\")", Ok(json!(true))),
        ("timestamp(due) + duration(\"1h30m\")", Ok(json!("2026-01-31T13:30:00Z"))),
        ("now", Ok(json!("2026-02-01T12:00:00Z"))),
        ("now - timestamp(due)", Ok(json!("1d"))),
        ("(now - timestamp(due)) / duration(\"1h\")", Ok(json!(24.0))),
        ("duration(\"1h\") * 3 - duration(\"30m\")", Ok(json!("2h30m"))),
        ("timestamp(0) < now", Ok(json!(true))),
        ("duration(\"30\")", Err("Argument at `duration(\"30\")`")),
        ("timestamp(\"noon\")", Err("Argument at `timestamp(\"noon\")`")),
    ]);
}

#[test]
fn operators_of_other_languages_are_refused_with_the_fix() {
    for (source, place, help) in [
        ("\"a\" && b", "&&", "write `and`"),
        ("a || b", "||", "write `or`"),
        ("a & b", "&", "write `and`"),
        ("!a", "!", "write `not`"),
        ("a ? b : c", "?", "write `a if condition else b`"),
        ("a; b", ";", "remove it"),
        ("{{ a }}", "{{", "write the name alone: status == \"open\""),
        ("a {# c #}", "{#", "write the name alone: status == \"open\""),
        ("{% if a %}", "{%", "write the name alone: status == \"open\""),
        ("1 }} evil", "}", "remove it"),
        ("a === b", "===", "write `==`"),
        ("'a", "'a", "close it with the quote it began with"),
        ("a if b", "a if b", "a if condition else none"),
    ] {
        let error = Logic::compile(source, &mut Slots::new()).unwrap_err();
        let found = (&source[error.span], error.help.as_deref());
        assert_eq!(found, (place, Some(help)), "{source}");
    }
    check([("\"a && b ? {{ ; !\" ~ 'c'", Ok(json!("a && b ? {{ ; !c")))]);
}

#[test]
fn functions_filters_and_tests_are_closed_lists() {
    check([
        ("debug()", Err("UnknownName at `debug()`")),
        ("namespace(a=1)", Err("UnknownName at `namespace(a=1)`")),
        ("dict(a=1)", Err("UnknownName at `dict(a=1)`")),
        ("name|pprint", Err("UnknownName at `pprint`")),
        ("name is sameas name", Err("UnknownName at `sameas name`")),
        ("name.upper()", Err("Unsupported at `name.upper()`")),
        ("items|map(name)", Err("Arguments at `map(name)`")),
        ("items|length(1)", Err("Arguments at `length(1)`")),
        ("range()", Err("Arguments at `range()`")),
        ("range(*items)", Err("Arguments at `range(*items)`")),
        ("secrets.KEY", Err("Secret at `secrets`")),
        ("integrations.zoho.x", Err("Integration at `integrations`")),
        ("", Err("Grammar at ``")),
        ("status = \"open\"", Err("Grammar at `=`")),
        ("a b", Err("Grammar at `b`")),
    ]);
}

#[test]
fn mentions_name_what_is_read_and_what_is_tolerated() {
    let source = "a.b[0]['c'] > d[e.f] and g.h is defined and i|default(j) and now and null";
    let mut slots = Slots::new();
    let logic = Logic::compile(source, &mut slots).unwrap();
    let mentions: Vec<_> =
        logic.mentions().iter().map(|mention| (&source[mention.span.clone()], mention.tolerated)).collect();
    let expected =
        [("a.b[0]['c']", false), ("d", false), ("e.f", false), ("g.h", true), ("i", true), ("j", false)];
    assert_eq!(mentions, expected);
    let first = &logic.mentions()[0];
    assert_eq!(first.root, Root::Slot(slots.find("a").unwrap()));
    let path = [Segment::Key("b".into()), Segment::Index(0), Segment::Key("c".into())];
    assert_eq!(first.path, path);
}

#[test]
fn comparisons_of_names_and_constants_are_listed_for_the_checker() {
    let source = "id == 5 and 'a' != id and id in [1] and (id|int) == 3";
    let mut slots = Slots::new();
    let logic = Logic::compile(source, &mut slots).unwrap();
    let id = Side::Slot(slots.find("id").unwrap());
    let sides: Vec<_> =
        logic.comparings().iter().map(|comparing| (comparing.left, comparing.right)).collect();
    assert_eq!(sides, [(id, Side::Type(Type::Integer)), (Side::Type(Type::String), id)]);
}

#[test]
fn a_condition_must_be_a_boolean() {
    let mut slots = Slots::new();
    let logic = Logic::compile("1 + 1", &mut slots).unwrap();
    let error = logic.test(&Variables(HashMap::new()), Timestamp::UNIX_EPOCH).unwrap_err();
    assert_eq!(error.kind, LogicErrorKind::NotBoolean);
}

#[test]
fn a_message_names_keys_and_types_and_never_a_value() {
    let mut slots = Slots::new();
    let logic = Logic::compile("a.email", &mut slots).unwrap();
    let slot = slots.find("a").unwrap();
    let scope = Variables(HashMap::from([(slot, json!({"mail": "canary@example.com"}))]));
    let error = logic.evaluate(&scope, Timestamp::UNIX_EPOCH).unwrap_err();
    assert_eq!(error.message, "`a.email` is undefined: there is no `email` in a map with mail (text)");
}

/// T7: the cost is counted in steps and bytes, so these end the same on every machine.
#[test]
fn hostile_expressions_end_in_their_limit() {
    let over = |source: &str| outcome(source).unwrap_err();
    for source in [
        "range(100000)",
        "range(9999)|list + range(9999)|list + range(9999)|list|sort",
        "range(5000)|list * 2 * 2",
        "\"aaaaaaaaaaaaaaaa\" * 100000",
        "[[1] * 9999] * 9999 * 9999",
        "(\"a\" * 1000)|replace(\"a\", \"a\" * 10000)",
        "range(9999)|unique|list",
        "range(9999)|map(\"tojson\")|list|tojson|map(\"upper\")|list",
        "range(9000)|select(\"in\", range(9000)|list)|list",
        "range(5000)|map(\"string\")|select(\"in\", \"a\" * 900000)|list",
        "((((\"a\" * 900000) ~ (\"a\" * 900000)))|length)",
    ] {
        let message = over(source);
        assert!(message.starts_with("Budget") || message.starts_with("Argument"), "{source}: {message}");
    }
    assert!(over(&"a".repeat(2_049)).starts_with("TooLong"));
}

#[test]
fn nesting_has_a_limit_and_chains_have_none() {
    let nested = |n: usize| outcome(&format!("{}1{}", "[".repeat(n), "]".repeat(n)));
    assert!(nested(60).is_ok());
    assert!(nested(100).unwrap_err().starts_with("TooDeep"));
    assert_eq!(outcome(&vec!["1"; 1_000].join("+")), Ok(json!(1_000)));
    assert_eq!(outcome(&vec!["yes"; 200].join(" and ")), Ok(json!(true)));
    assert!(outcome(&format!("{}1", "-".repeat(1_000))).unwrap_err().starts_with("TooDeep"));
    assert!(outcome(&format!("{}yes", "not ".repeat(500))).unwrap_err().starts_with("TooDeep"));
    assert!(outcome(&format!("1{}", "|abs".repeat(400))).unwrap_err().starts_with("TooDeep"));
    assert!(outcome(&format!("odd{}", ".a".repeat(400))).unwrap_err().starts_with("TooDeep"));
    let kind = Logic::compile(&format!("odd{}", "[0]".repeat(400)), &mut Slots::new()).unwrap_err().kind;
    assert_eq!(kind, SyntaxErrorKind::TooDeep);
}
