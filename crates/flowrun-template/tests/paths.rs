//! What a path picks (L-5): RFC 9535, clause by clause, the shorthand, and the limits of N8.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flowrun_template::{Path, PickErrorKind, Picked, Picks, SyntaxErrorKind};
use serde_json::{Value, json};

/// What a path finds, always as a list.
fn nodes(path: &str, document: &Value) -> Result<Value, String> {
    let path = Path::compile(path).map_err(|error| format!("{:?}", error.kind))?;
    match path.pick(document) {
        Ok(Picked::Missing) => Ok(json!([])),
        Ok(Picked::One(value)) => Ok(json!([value])),
        Ok(Picked::Many(values)) => Ok(values.into_iter().cloned().collect()),
        Err(error) => Err(format!("{:?}", error.kind)),
    }
}

#[track_caller]
fn check<const N: usize>(document: Value, cases: [(&str, Value); N]) {
    for (path, expected) in cases {
        assert_eq!(nodes(path, &document), Ok(expected), "{path}");
    }
}

#[track_caller]
fn refused<const N: usize>(kind: &str, paths: [&str; N]) {
    for path in paths {
        assert_eq!(nodes(path, &json!({})), Err(kind.to_owned()), "{path}");
    }
}

/// RFC 9535, 2.3.1: names in both quotes, every escape, and the shorthand.
#[test]
fn a_name_selects_a_member() {
    let document = json!({"a": 1, "b c": 2, "'": 3, "\"": 4, "ü☺": 5, "\n\t/\\": 6, "😀": 7, "": 8, "_1": 9});
    check(
        document,
        [
            (
                "$",
                json!([{"a": 1, "b c": 2, "'": 3, "\"": 4, "ü☺": 5, "\n\t/\\": 6, "😀": 7, "": 8, "_1": 9}]),
            ),
            ("$.a", json!([1])),
            ("$['a']", json!([1])),
            ("$[\"a\"]", json!([1])),
            ("$['b c']", json!([2])),
            ("$['\\'']", json!([3])),
            ("$[\"'\"]", json!([3])),
            ("$['\"']", json!([4])),
            ("$.ü☺", json!([5])),
            ("$['\\u00fc\\u263A']", json!([5])),
            ("$['\\n\\t\\/\\\\']", json!([6])),
            ("$['\\uD83D\\uDE00']", json!([7])),
            ("$['']", json!([8])),
            ("$._1", json!([9])),
            ("$.missing", json!([])),
            ("$ .a", json!([1])),
            ("$[ 'a' ]", json!([1])),
        ],
    );
    check(json!([1]), [("$.a", json!([])), ("$['0']", json!([]))]);
}

/// RFC 9535, 2.3.2 to 2.3.4, 2.5.1.
#[test]
fn wildcards_indexes_and_slices_select_children() {
    check(
        json!([0, 1, 2, 3, 4]),
        [
            ("$[*]", json!([0, 1, 2, 3, 4])),
            ("$.*", json!([0, 1, 2, 3, 4])),
            ("$[0]", json!([0])),
            ("$[-1]", json!([4])),
            ("$[5]", json!([])),
            ("$[-6]", json!([])),
            ("$[1:3]", json!([1, 2])),
            ("$[:2]", json!([0, 1])),
            ("$[3:]", json!([3, 4])),
            ("$[:]", json!([0, 1, 2, 3, 4])),
            ("$[::2]", json!([0, 2, 4])),
            ("$[::-1]", json!([4, 3, 2, 1, 0])),
            ("$[3:0:-2]", json!([3, 1])),
            ("$[-2:]", json!([3, 4])),
            ("$[:-3]", json!([0, 1])),
            ("$[10:0:-1]", json!([4, 3, 2, 1])),
            ("$[-10:2]", json!([0, 1])),
            ("$[1:4:0]", json!([])),
            ("$[4:1]", json!([])),
            ("$[ 1 : 3 : 1 ]", json!([1, 2])),
            ("$[0, 0, 4]", json!([0, 0, 4])),
            ("$[1:3, 0]", json!([1, 2, 0])),
            ("$[::9007199254740991]", json!([0])),
            ("$[-9007199254740991:9007199254740991]", json!([0, 1, 2, 3, 4])),
        ],
    );
    check(json!({"b": 1, "a": [2]}), [("$.*", json!([1, [2]])), ("$[0]", json!([])), ("$[0:1]", json!([]))]);
    check(json!("text"), [("$.*", json!([])), ("$[0]", json!([])), ("$[:]", json!([]))]);
}

/// RFC 9535, 2.5.2.2: every node before its children, each asked for all selectors of the segment.
#[test]
fn a_descendant_segment_visits_in_the_order_of_the_rfc() {
    check(
        json!({"o": {"d": 4, "a": 1}, "a": [{"d": 2}, 3]}),
        [
            ("$..['a', 'd']", json!([[{"d": 2}, 3], 1, 4, 2])),
            ("$..d", json!([4, 2])),
            ("$..[0]", json!([{"d": 2}])),
            ("$..*", json!([{"d": 4, "a": 1}, [{"d": 2}, 3], 4, 1, {"d": 2}, 3, 2])),
            ("$.a..d", json!([2])),
        ],
    );
    check(json!([[[1]]]), [("$..[0]..[0]", json!([[1], 1, 1]))]);
}

/// RFC 9535, 2.3.5.2.2: comparing, with numbers by value and absence as something.
#[test]
fn a_filter_compares() {
    check(
        json!([{"a": 1}, {"a": 1.0}, {"a": "1"}, {"a": null}, {"b": 1}, {"a": [1]}, {"a": true}, {"a": 3}]),
        [
            ("$[?@.a == 1]", json!([{"a": 1}, {"a": 1.0}])),
            ("$[?@.a == '1']", json!([{"a": "1"}])),
            ("$[?@.a == null]", json!([{"a": null}])),
            ("$[?@.a == true]", json!([{"a": true}])),
            ("$[?@.a == @.missing]", json!([{"b": 1}])),
            ("$[?@.a != 1]", json!([{"a": "1"}, {"a": null}, {"b": 1}, {"a": [1]}, {"a": true}, {"a": 3}])),
            ("$[?@.a > 1]", json!([{"a": 3}])),
            ("$[?@.a >= 1]", json!([{"a": 1}, {"a": 1.0}, {"a": 3}])),
            ("$[?@.a < 1e1]", json!([{"a": 1}, {"a": 1.0}, {"a": 3}])),
            ("$[?@.a <= '1']", json!([{"a": "1"}])),
            ("$[?@.a >= null]", json!([{"a": null}])),
            ("$[?@.a == $[5].a]", json!([{"a": [1]}])),
            ("$[?1 == 1][?@ == 3]", json!([3])),
            ("$[?@.a==-0]", json!([])),
        ],
    );
    let large = json!([9007199254740993_u64, 9007199254740992_u64]);
    check(large, [("$[?@ == $[1]]", json!([9007199254740992_u64]))]);
}

/// RFC 9535, 2.3.5: existence, negation, precedence, nesting.
#[test]
fn a_filter_tests_and_combines() {
    check(
        json!([{"a": null}, {"a": 0, "b": 1}, {"b": [2, 3]}, [], [[1], [2]]]),
        [
            ("$[?@.a]", json!([{"a": null}, {"a": 0, "b": 1}])),
            ("$[?!@.a]", json!([{"b": [2, 3]}, [], [[1], [2]]])),
            ("$[?@.a && @.b]", json!([{"a": 0, "b": 1}])),
            ("$[?@.b || @.a && @.zzz]", json!([{"a": 0, "b": 1}, {"b": [2, 3]}])),
            ("$[?(@.b || @.a) && @.b]", json!([{"a": 0, "b": 1}, {"b": [2, 3]}])),
            ("$[?!(@.a == 0)]", json!([{"a": null}, {"b": [2, 3]}, [], [[1], [2]]])),
            ("$[?@.*]", json!([{"a": null}, {"a": 0, "b": 1}, {"b": [2, 3]}, [[1], [2]]])),
            ("$[?@[?@ > 1]]", json!([])),
            ("$[?@[?@[?@ > 1]]]", json!([{"b": [2, 3]}, [[1], [2]]])),
            ("$[?$[0].a == @.a].b", json!([])),
            ("$[?@.b == 1 , 3]", json!([{"a": 0, "b": 1}, []])),
        ],
    );
}

/// RFC 9535, 2.4.4 to 2.4.8.
#[test]
fn functions_measure_count_and_match() {
    check(
        json!([{"n": "aß☺", "l": [1, 2]}, {"n": "ab", "l": {"k": 1}}, {"n": 5, "l": []}]),
        [
            ("$[?length(@.n) == 3].n", json!(["aß☺"])),
            ("$[?length(@.l) == 1].n", json!(["ab"])),
            ("$[?length(@.n) == length(@.zzz)].n", json!([5])),
            ("$[?count(@.l[*]) > 1].n", json!(["aß☺"])),
            ("$[?count(@..*) >= 4].n", json!(["aß☺"])),
            ("$[?value(@.l[*]) == 1].n", json!(["ab"])),
            ("$[?match(@.n, 'a.')].n", json!(["ab"])),
            ("$[?match(@.n, 'a|ab')].n", json!(["ab"])),
            ("$[?search(@.n, '[ß]')].n", json!(["aß☺"])),
            ("$[?!search(@.n, 'a')].n", json!([5])),
            ("$[?match(@.n, 5)].n", json!([])),
            ("$[?search(@.n, '\\\\p{L}.')].n", json!(["aß☺", "ab"])),
            ("$[?length('abc') == 3].n", json!(["aß☺", "ab", 5])),
            ("$[?length(value(@.l)) == 2].n", json!(["aß☺"])),
        ],
    );
    check(json!(["a\rb", "a\nb", "a\u{2028}b"]), [("$[?match(@, 'a.b')]", json!(["a\u{2028}b"]))]);
    check(json!({"p": "a+", "v": ["aa", "b"]}), [("$.v[?match(@, $.p)]", json!(["aa"]))]);
}

/// RFC 9535, 2.4.3, where jsonpath-rust is laxer than the RFC.
#[test]
fn ill_typed_functions_are_refused() {
    refused(
        "IllTyped",
        [
            "$[?length(@.*) == 1]",
            "$[?length(@..a) == 1]",
            "$[?length(@['a', 'b']) == 1]",
            "$[?length(@.a)]",
            "$[?count(@.*)]",
            "$[?value(@.*)]",
            "$[?count(length(@.a)) == 1]",
            "$[?value(count(@.*)) == 1]",
            "$[?match(@.*, 'a')]",
            "$[?search(@.a, @.*)]",
            "$[?length(match(@.a, 'b')) == 1]",
        ],
    );
    refused("UnknownName", ["$[?in(@.a, @.b)]", "$[?any_of(@.a, @.b)]"]);
}

/// RFC 9535, 2.1 and the grammar of its appendix A.
#[test]
fn what_the_rfc_refuses_is_refused() {
    refused(
        "Grammar",
        [
            "",
            " ",
            "$ ",
            " $",
            "$.",
            "$..",
            "$.a.",
            "$[",
            "$[]",
            "$[a]",
            "$['a]",
            "$[01]",
            "$[-0]",
            "$[1.0]",
            "$[1e0]",
            "$[9007199254740992]",
            "$[::9007199254740992]",
            "$.1",
            "$. a",
            "$.. a",
            "$.a b",
            "$['a' 'b']",
            "$[,]",
            "$['\\x']",
            "$[\"\\'\"]",
            "$['\\uD800']",
            "$['\\uDC00\\uD800']",
            "$['a\nb']",
            "@.a",
            "$$",
            "$[?]",
            "$[?@.a = 1]",
            "$[?@.a == 01]",
            "$[?@.a == 1.]",
            "$[?@.a == .1]",
            "$[?@.a == +1]",
            "$[?true]",
            "$[?'a']",
            "$[?@.a == [1]]",
            "$[?@.* == 1]",
            "$[?@..a == 1]",
            "$[?@.a == 1 == 2]",
            "$[?!@.a == 1]",
            "$[?@.a in [1]]",
            "$[?@.a == TRUE]",
            "$[?@.a & @.b]",
            "$[?length(@.a == 1) == 1]",
            "$[1 2]",
            "$[?@.a b]",
            "$.a\u{3000}",
            "$[?length (@.a) == 1]",
            "$[?length() == 1]",
            "$[?length(@.a, @.b) == 1]",
            "$[?match(@.a)]",
            "$[?match(@.a, 'b') == true]",
            "$[?nope(@.a)]",
            "$[?(@.a]",
            "$[?@.a > (1)]",
            "$.a-b",
            "$[?@['a','b'] == 1]",
        ],
    );
}

/// L-5: what authors type.
#[test]
fn the_dollar_is_optional() {
    let document = json!({"data": {"last_name": "Doe", "a-b": 1}, "emails": [{"email": "x"}], "x": 5});
    check(
        document,
        [
            ("data.last_name", json!(["Doe"])),
            ("emails[0].email", json!(["x"])),
            ("emails[*].email", json!(["x"])),
            ("data['a-b']", json!([1])),
            ("['data']['a-b']", json!([1])),
            (".x", json!([5])),
            ("..email", json!(["x"])),
            ("*", json!([{"last_name": "Doe", "a-b": 1}, [{"email": "x"}], 5])),
        ],
    );
    check(json!([{"x": 1}]), [("[0].x", json!([1]))]);
}

#[test]
fn a_singular_path_gives_its_value_and_any_other_a_list() {
    let document = json!({"a": null, "b": []});
    let pick = |path: &str| {
        Path::compile(path).unwrap().pick(&document).map(|picked| format!("{picked:?}")).unwrap()
    };
    assert_eq!(pick("a"), "One(Null)");
    assert_eq!(pick("c"), "Missing");
    assert_eq!(pick("b[*]"), "Many([])");
    for (path, singular) in [
        ("a.b[0]['c']", true),
        ("a[-1]", true),
        ("a.*", false),
        ("a[0,1]", false),
        ("a[0:1]", false),
        ("..a", false),
    ] {
        assert_eq!(Path::compile(path).unwrap().is_singular(), singular, "{path}");
    }
}

#[test]
fn an_unreadable_path_points_at_the_place_and_shows_the_fix() {
    for (path, place, help) in [
        ("data.a-b", "-", Some("write data['a-b']")),
        ("a-b.c", "-", Some("write $['a-b'].c")),
        ("data.x[", "", None),
        ("data .x y", "y", Some("a name with a blank in it is written ['odd key']")),
        ("data['ü'].a-b.c", "-", Some("write data['ü']['a-b'].c")),
        ("", "", Some("write data.name, items[0].id or items[*].id")),
    ] {
        let error = Path::compile(path).unwrap_err();
        assert_eq!((&path[error.span], error.help.as_deref()), (place, help), "{path}");
    }
    let error = Path::compile("a[?length(@.*) > 1]").unwrap_err();
    assert_eq!(&"a[?length(@.*) > 1]"[error.span], "length");
}

/// N8 and T7: each ends in its limit, counted in steps.
#[test]
fn hostile_paths_end_in_their_limit() {
    refused("TooDeep", ["$..*..*..*", "$[?@..a && @..b]..c"]);
    let deep = |n: usize| format!("$[?{}@.a{}]", "(".repeat(n), ")".repeat(n));
    assert_eq!(nodes(&deep(400), &json!([])), Err("TooDeep".into()));
    // The parser tries each function's arguments three ways: eight deep would take a second (found by fuzzing).
    let called = |n: usize| format!("$[?{}@.a{} > 1]", "length(".repeat(n), ")".repeat(n));
    refused("TooDeep", [called(5).as_str(), &called(100), &format!("$[?{}", "nin((".repeat(14))]);
    assert_eq!(nodes(&format!("$.{}", "a".repeat(1_023)), &json!({})), Err("TooLong".into()));
    refused(
        "Regex",
        ["$[?match(@.a, '(a{1000}){1000}')]", "$[?match(@.a, '(')]", "$[?search(@.a, 'a{2,1}')]"],
    );
    let nested = (0..100).fold(json!(1), |inner, _| json!([inner, inner_leaf()]));
    assert_eq!(
        nodes("$..*..*", &(0..12).fold(nested, |inner, _| json!([inner.clone(), inner]))),
        Err("Budget".into())
    );
    let wide: Value = (0..400).map(|n| json!({"a": n})).collect();
    assert_eq!(nodes("$[?count($[?@.a > 5]) > 3]", &wide), Err("Budget".into()));
    let patterns: Value = (0..200).map(|n| json!({"a": "x", "p": format!("a{n}")})).collect();
    assert_eq!(nodes("$[?match(@.a, @.p)]", &patterns), Err("Budget".into()));
    let long = json!([{"a": "x", "p": "(a|b)*c".repeat(900)}]);
    assert_eq!(nodes("$[?match(@.a, @.p)]", &long), Err("Budget".into()));
}

fn inner_leaf() -> Value {
    json!({"a": 1})
}

#[test]
fn a_search_over_a_megabyte_of_rows_stays_within_its_limit() {
    let rows: Value = (0..7_000).map(|n| json!({"name": format!("row {n}"), "age": n % 100})).collect();
    let found = nodes("$[?match(@.name, 'row 69[0-9][0-9]')].age", &rows).unwrap();
    assert_eq!(found.as_array().map(Vec::len), Some(100));
}

mod picks {
    //! language.md 4, `variables`.
    use super::*;

    fn pick(variables: Value, body: Value) -> Result<Value, (PickErrorKind, String)> {
        let picks = Picks::compile(&variables).unwrap();
        let picked = picks
            .pick(&body)
            .map_err(|error| (error.kind, format!("{}: {}", error.name.unwrap(), error.message)))?;
        Ok(Value::Object(picked.into_iter().collect()))
    }

    #[test]
    fn variables_are_paths_long_forms_or_names() {
        let body = json!({"data": {"last_name": "Doe", "age": "42"}, "id": 7, "tags": [{"t": 1}, {"t": 2}]});
        let variables = json!({
            "last_name": "data.last_name",
            "age": {"path": "data.age", "type": "integer"},
            "phone": {"path": "data.phone", "default": "-"},
            "fax": {"path": "data.fax", "required": false},
            "tags": "tags[*].t",
            "visits": {"path": "visits", "default": "0", "type": "integer"},
            "code": {"path": "code", "default": 7, "type": "string"},
            "seen": {"path": "seen", "default": null, "type": "timestamp"},
        });
        let picked = json!({"last_name": "Doe", "age": 42, "phone": "-", "tags": [1, 2]});
        // A default is read by its type, as a reply is; null is none of any type.
        let defaults = json!({"visits": 0, "code": "7", "seen": null});
        let mut expected = picked.as_object().unwrap().clone();
        expected.extend(defaults.as_object().unwrap().clone());
        let expected = Value::Object(expected);
        assert_eq!(pick(variables, body.clone()), Ok(expected));
        assert_eq!(pick(json!(["id", "tags"]), body), Ok(json!({"id": 7, "tags": [{"t": 1}, {"t": 2}]})));
    }

    #[test]
    fn a_required_path_that_finds_nothing_shows_what_was_there() {
        let body = json!({"data": {"lastname": "canary", "age": 5, "tags": [], "more": {}}});
        let message = "last_name: `data.last_name` found nothing: there is no `last_name` in a map with lastname (text), age (number), tags (list), more (map)";
        assert_eq!(
            pick(json!({"last_name": "data.last_name"}), body),
            Err((PickErrorKind::Missing, message.into()))
        );
    }

    #[test]
    fn a_value_of_another_type_is_an_error() {
        let body = json!({"a": null, "b": "x", "c": 2.0, "d": 5});
        let typed = |path: &str, kind: &str| pick(json!({"v": {"path": path, "type": kind}}), body.clone());
        assert_eq!(typed("b", "integer").unwrap_err().0, PickErrorKind::Type);
        assert_eq!(typed("a", "string").unwrap_err().1, "v: `a`: this is null, not a string");
        assert_eq!(typed("c", "integer"), Ok(json!({"v": 2.0})));
        assert_eq!(typed("d", "string"), Ok(json!({"v": "5"})));
        assert_eq!(typed("d", "array").unwrap_err().1, "v: `d`: this is a number, not an array");
    }

    #[test]
    fn every_mistake_has_its_pointer() {
        let variables = json!({
            "1a": "x", "steps": "x", "json": "x", "a": 5, "b": {}, "c": {"path": "x", "type": "int"},
            "d": {"path": "x", "default": "a", "type": "integer"}, "e": {"path": "x", "default": 1, "required": true},
            "f": {"path": "x", "defautl": 1}, "g": "a-b", "h": {"path": "a["}, "i": {"path": "x", "required": "no"},
        });
        let errors = Picks::compile(&variables).unwrap_err();
        let places: Vec<_> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
        let expected = [
            "/1a",
            "/steps",
            "/json",
            "/a",
            "/b",
            "/c/type",
            "/d/default",
            "/e/required",
            "/f/defautl",
            "/g",
            "/h/path",
            "/i/required",
        ];
        assert_eq!(places, expected);
        let errors = Picks::compile(&json!(["a", "a", 5])).unwrap_err();
        assert_eq!(errors.iter().map(|(pointer, _)| pointer.as_str()).collect::<Vec<_>>(), ["/1", "/2"]);
        assert_eq!(Picks::compile(&json!("a")).unwrap_err()[0].1.kind, SyntaxErrorKind::Shape);
    }

    #[test]
    fn an_empty_reply_will_do_when_nothing_is_required() {
        let optional = |variables: Value| Picks::compile(&variables).unwrap().is_all_optional();
        assert!(optional(json!({"a": {"path": "x", "default": 1}, "b": {"path": "y", "required": false}})));
        assert!(!optional(json!({"a": "x"})));
    }
}

/// Found by a fuzzer: what stands before the hyphen may be wider than a byte.
#[test]
fn a_hyphen_after_a_sign_wider_than_a_byte_is_refused_with_a_fix() {
    for path in ["\u{ae}-a", "data.\u{20ac}-name", "\u{70b}---6.S'ey["] {
        let error = Path::compile(path).unwrap_err();
        assert!(error.help.is_some_and(|help| help.starts_with("write ")), "{path}");
    }
}
