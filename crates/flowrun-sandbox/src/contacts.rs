//! The people in the sandbox's Teamleader; contact 42 is the seed's, and her last name is Peeters.

use serde_json::{Map, Value, json};

/// A handful of contacts, which writes change.
pub(crate) struct Contacts(Vec<Value>);

impl Contacts {
    /// The contacts every sandbox starts with.
    pub(crate) fn believable() -> Self {
        Self(vec![
            contact("41", "Lotte", "Janssens", "lotte.janssens@bakkerij.example"),
            contact("42", "Emma", "Peeters", "emma.peeters@atelier.example"),
            contact("43", "Noah", "Maes", "noah.maes@fietsen.example"),
            contact("44", "Zoë", "D'Hondt", "zoe.dhondt@drukkerij.example"),
            contact("2a39e420-3ba3-4384-8024-fa702ef99c9f", "Arthur", "Willems", "arthur@koffie.example"),
        ])
    }

    /// The contact with this id.
    pub(crate) fn find(&self, id: &str) -> Option<&Value> {
        self.0.iter().find(|contact| contact["id"] == id)
    }

    /// Changes the members named, but for the id; false if there is no such contact.
    pub(crate) fn update(&mut self, id: &str, changes: &Map<String, Value>) -> bool {
        let found = self.0.iter_mut().find(|contact| contact["id"] == id).and_then(Value::as_object_mut);
        let Some(contact) = found else { return false };
        for (name, value) in changes.iter().filter(|(name, _)| *name != "id") {
            contact.insert(name.clone(), value.clone());
        }
        true
    }
}

fn contact(id: &str, first_name: &str, last_name: &str, email: &str) -> Value {
    json!({
        "id": id,
        "first_name": first_name,
        "last_name": last_name,
        "emails": [{ "type": "primary", "email": email }],
        "telephones": [{ "type": "mobile", "number": "+32470000042" }],
        "language": "nl",
        "added_at": "2026-02-04T16:44:33+00:00",
        "updated_at": "2026-02-05T16:44:33+00:00",
    })
}
