//! The API as OpenAPI 3.1 writes it, made from the table of routes and the wire's types. `docs/openapi.json` is its text.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::api::wire;
use crate::routes::{Access, Door, ROUTES, Route};

/// The document.
#[must_use]
pub fn openapi() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for route in &ROUTES {
        let path = route.path.replace("{*", "{");
        let methods = route.method.as_ref().map_or_else(|| vec!["get", "post"], |method| vec![word(method)]);
        let operations = paths.entry(path).or_insert_with(|| json!({}));
        for method in methods {
            operations[method] = operation(route, method, &mut schemas);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "flowrun", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn word(method: &http::Method) -> &'static str {
    match *method {
        http::Method::PUT => "put",
        http::Method::POST => "post",
        _ => "get",
    }
}

fn operation(route: &Route, method: &str, schemas: &mut SchemaGenerator) -> Value {
    let (query, body, answer) = types(route.door, schemas);
    let answer = match answer {
        Some(schema) => json!({ "application/json": { "schema": schema } }),
        None if matches!(route.door, Door::RunEvents | Door::AllEvents) => json!({ "text/event-stream": {} }),
        None => json!({}),
    };
    let problem = json!({ "description": "A problem.", "content": { "application/problem+json": {} } });
    let mut operation = json!({
        "operationId": format!("{:?}_{method}", route.door).to_lowercase(),
        "summary": route.says,
        "parameters": parameters(route, query.as_ref()),
        "responses": { "2XX": { "description": "Done.", "content": answer }, "default": problem },
    });
    if let Some(schema) = body {
        operation["requestBody"] = json!({ "content": { "application/json": { "schema": schema } } });
    }
    if let Access::Scope(scope) = route.access {
        operation["security"] = json!([{ "token": [scope.to_string()] }]);
    }
    operation
}

/// The parts of the path that vary, what a query may say, and the revision that a change of flows is meant for.
fn parameters(route: &Route, query: Option<&Value>) -> Vec<Value> {
    let string = json!({ "type": "string" });
    let named = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = named.map(|name| {
        json!({ "name": name.trim_start_matches('*'), "in": "path", "required": true, "schema": string })
    });
    let fields = query.and_then(|query| query.get("properties")?.as_object()).into_iter().flatten();
    let in_query = fields.map(|(name, schema)| json!({ "name": name, "in": "query", "schema": schema }));
    let revision = matches!(route.door, Door::Deploy | Door::Rollback)
        .then(|| json!({ "name": "If-Match", "in": "header", "schema": string }));
    in_path.chain(in_query).chain(revision).collect()
}

type Types = (Option<Value>, Option<Value>, Option<Value>);

/// What a door reads of the query and the body, and what it answers.
fn types(door: Door, schemas: &mut SchemaGenerator) -> Types {
    let mut of = Of(schemas);
    match door {
        Door::Flows => (None, None, of.some::<Vec<wire::Flow>>()),
        Door::Deploy => (None, of.some::<wire::Deploy>(), of.some::<Vec<wire::Flow>>()),
        Door::Sets => (None, None, of.some::<Vec<wire::Set>>()),
        Door::Rollback => (None, of.some::<wire::Rollback>(), of.some::<Vec<wire::Flow>>()),
        Door::Start => {
            (of.whole::<wire::Wait>(), of.some::<wire::Start>(), of.either::<wire::Started, wire::Run>())
        }
        Door::Runs => (of.whole::<wire::Page>(), None, of.some::<Vec<wire::Run>>()),
        Door::Run => (None, None, of.some::<wire::Run>()),
        Door::Cancel => (None, of.some::<wire::Cancel>(), None),
        Door::Resolve => (None, of.some::<wire::Resolve>(), None),
        Door::Release | Door::ReleaseAll => (None, None, of.some::<wire::Released>()),
        Door::Story => (None, None, of.some::<wire::Story>()),
        Door::Erase => (None, of.some::<wire::Erase>(), of.some::<wire::Erased>()),
        Door::Tell => (None, of.some::<wire::Event>(), of.some::<wire::Heard>()),
        Door::Message | Door::Channel => (None, of.some::<wire::Message>(), of.some::<wire::Receipt>()),
        Door::Hook => (None, None, of.some::<wire::Started>()),
        Door::Alive | Door::Ready | Door::Metrics | Door::RunEvents | Door::AllEvents | Door::Callback => {
            (None, None, None)
        }
    }
}

/// Schemas of types.
struct Of<'a>(&'a mut SchemaGenerator);

impl Of<'_> {
    /// By its name.
    fn some<T: JsonSchema>(&mut self) -> Option<Value> {
        Some(self.0.subschema_for::<T>().to_value())
    }

    /// With its fields.
    fn whole<T: JsonSchema>(&mut self) -> Option<Value> {
        Some(T::json_schema(self.0).to_value())
    }

    fn either<T: JsonSchema, U: JsonSchema>(&mut self) -> Option<Value> {
        Some(json!({ "anyOf": [self.some::<T>(), self.some::<U>()] }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_EXPECT=1` writes the file anew.
    #[test]
    fn the_document_in_the_book_is_the_one_that_the_routes_make() {
        let text = serde_json::to_string_pretty(&openapi()).unwrap() + "\n";
        expect_test::expect_file!["../../../docs/openapi.json"].assert_eq(&text);
    }

    #[test]
    fn every_name_that_the_document_points_to_is_there() {
        let document = openapi();
        let text = document.to_string();
        let pointers = text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next());
        let mut count = 0;
        for pointer in pointers {
            assert!(document.pointer(pointer).is_some(), "{pointer}");
            count += 1;
        }
        assert!(count > 10, "{count}");
    }
}
