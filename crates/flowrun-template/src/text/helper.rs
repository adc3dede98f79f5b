//! The helpers of a text (L-4): a closed list of pure functions over values.
//!
//! A helper takes finished values and gives one. Whether a value is missing is decided before it is called;
//! only `default` ever sees one that is. Escaping for the place comes after it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;

use super::fault::{Fault, scalar};
use super::moment;
use crate::rendered::escape::UNRESERVED;

/// A helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Helper {
    Default,
    Json,
    UrlEncode,
    Base64,
    Upper,
    Lower,
    Trim,
    Join,
    Length,
    Number,
    Date,
    HmacSha256,
}

/// A helper, its name, how many arguments it takes, and how it is written.
type Row = (Helper, &'static str, std::ops::RangeInclusive<usize>, &'static str);

const TABLE: [Row; 12] = [
    (Helper::Default, "default", 2..=2, "{{default name \"fallback\"}}"),
    (Helper::Json, "json", 1..=1, "{{json value}}"),
    (Helper::UrlEncode, "url_encode", 1..=1, "{{url_encode value}}"),
    (
        Helper::Base64,
        "base64",
        1..=8,
        "{{base64 value}} or {{base64 id \":\" secrets.KEY}}, which joins them first",
    ),
    (Helper::Upper, "upper", 1..=1, "{{upper value}}"),
    (Helper::Lower, "lower", 1..=1, "{{lower value}}"),
    (Helper::Trim, "trim", 1..=1, "{{trim value}}"),
    (Helper::Join, "join", 1..=2, "{{join list \", \"}}"),
    (Helper::Length, "length", 1..=1, "{{length value}}"),
    (Helper::Number, "number", 1..=2, "{{number value 2}}"),
    (Helper::Date, "date", 2..=3, "{{date time \"%d %B %H:%M\" \"Europe/Brussels\"}}"),
    (Helper::HmacSha256, "hmac_sha256", 2..=3, "{{hmac_sha256 secrets.KEY body \"hex\"}} (or \"base64\")"),
];

impl Helper {
    /// The helper of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    fn row(self) -> &'static Row {
        // The table is in the order of the variants.
        &TABLE[self as usize]
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    pub(crate) fn takes(self, count: usize) -> bool {
        self.row().2.contains(&count)
    }

    pub(crate) fn usage(self) -> &'static str {
        self.row().3
    }

    /// Whether it may work over a secret (N2).
    pub(crate) fn takes_secrets(self) -> bool {
        matches!(self, Self::Base64 | Self::UrlEncode | Self::HmacSha256)
    }

    /// The helper's value; `default` is not asked, since it never needs to calculate.
    pub(crate) fn apply(self, arguments: &[&Value]) -> Result<Value, Fault> {
        let first = arguments.first().copied().unwrap_or(&Value::Null);
        let second = arguments.get(1).copied();
        let third = arguments.get(2).copied();
        Ok(match self {
            Self::Default => first.clone(),
            Self::Json => Value::String(first.to_string()),
            Self::Length => length(first)?.into(),
            Self::Join => Value::String(join(first, second)?),
            Self::Number => Value::String(number(first, second)?),
            Self::Date => Value::String(moment::format(first, second, third)?),
            Self::Upper => Value::String(scalar(first)?.to_uppercase()),
            Self::Lower => Value::String(scalar(first)?.to_lowercase()),
            Self::Trim => Value::String(scalar(first)?.trim().to_owned()),
            Self::UrlEncode | Self::Base64 | Self::HmacSha256 => {
                let texts: Result<Vec<_>, Fault> = arguments.iter().map(|value| scalar(value)).collect();
                let texts = texts?;
                Value::String(self.apply_text(&texts.iter().map(AsRef::as_ref).collect::<Vec<&str>>())?)
            }
        })
    }

    /// The value of the helpers that may see a secret.
    pub(crate) fn apply_text(self, arguments: &[&str]) -> Result<String, Fault> {
        match (self, arguments) {
            (Self::UrlEncode, [text]) => Ok(utf8_percent_encode(text, UNRESERVED).to_string()),
            (Self::Base64, texts) => Ok(STANDARD.encode(texts.concat())),
            (Self::HmacSha256, [key, message, spelling @ ..]) => {
                hmac(key, message, spelling.first().copied())
            }
            _ => Err(Fault::argument(format!("`{}` cannot take this", self.name()), self.usage())),
        }
    }
}

fn hmac(key: &str, message: &str, spelling: Option<&str>) -> Result<String, Fault> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map_err(|_| Fault::argument("`hmac_sha256` cannot use this key", Helper::HmacSha256.usage()))?;
    mac.update(message.as_bytes());
    let digest = mac.finalize().into_bytes();
    match spelling {
        None | Some("hex") => Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect()),
        Some("base64") => Ok(STANDARD.encode(digest)),
        Some(_) => {
            Err(Fault::argument("`hmac_sha256` writes \"hex\" or \"base64\"", Helper::HmacSha256.usage()))
        }
    }
}

fn length(value: &Value) -> Result<usize, Fault> {
    match value {
        Value::String(text) => Ok(text.chars().count()),
        Value::Array(items) => Ok(items.len()),
        Value::Object(members) => Ok(members.len()),
        Value::Null => Err(Fault::null()),
        _ => Err(Fault::argument("only text, a list or a map has a length", Helper::Length.usage())),
    }
}

fn join(value: &Value, separator: Option<&Value>) -> Result<String, Fault> {
    let Value::Array(items) = value else {
        return Err(Fault::argument(
            format!("`join` needs a list, not {}", crate::value_type::noun(value)),
            Helper::Join.usage(),
        ));
    };
    let separator = separator.map_or(Ok(", ".into()), scalar)?;
    let mut joined = String::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&scalar(item)?);
        if joined.len() > crate::limits::TEXT_OUTPUT_BYTES {
            return Err(Fault::too_long());
        }
    }
    Ok(joined)
}

fn number(value: &Value, decimals: Option<&Value>) -> Result<String, Fault> {
    let fault = || Fault::argument("`number` needs a number", Helper::Number.usage());
    let text = scalar(value)?;
    let text = text.trim();
    let parsed: f64 = text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(fault)?;
    let Some(decimals) = decimals else { return Ok(text.to_owned()) };
    let decimals = decimals
        .as_u64()
        .filter(|decimals| *decimals <= 20)
        .ok_or_else(|| Fault::argument("`number` writes 0 to 20 decimals", Helper::Number.usage()))?;
    let decimals = usize::try_from(decimals).unwrap_or_default();
    // A whole number keeps every digit: as a float, one past 2^53 would not.
    match text.parse::<i128>() {
        Ok(whole) if decimals == 0 => Ok(whole.to_string()),
        Ok(whole) => Ok(format!("{whole}.{:0decimals$}", 0)),
        Err(_) => Ok(format!("{parsed:.decimals$}")),
    }
}
