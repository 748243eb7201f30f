//! What a scalar means to kubectl: YAML 1.1's words and numbers, as go.yaml.in/yaml/v2 resolves them.

use serde_json::{Number, Value};

/// A scalar's meaning.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Beyond `i64`.
    Uint(u64),
    Float(f64),
    Text(String),
}

impl Scalar {
    /// The scalar with this text and this tag; `plain`: it has no quotes.
    pub(super) fn resolve(text: &str, plain: bool, tag: Option<&str>) -> Result<Self, String> {
        let Some(tag) = tag else {
            return Ok(if plain { Self::plain(text) } else { Self::Text(text.to_owned()) });
        };
        let kind = core_tag(tag);
        let wanted = match kind {
            Some("binary") => return base64(text).map(Self::Text),
            Some("bool" | "int" | "float" | "null" | "timestamp") => kind.unwrap_or_default(),
            // `!!str`, and what we have no type for.
            Some(_) | None => return Ok(Self::Text(text.to_owned())),
        };
        match (wanted, Self::plain(text)) {
            ("bool", value @ Self::Bool(_))
            | ("null", value @ Self::Null)
            | ("int", value @ (Self::Int(_) | Self::Uint(_)))
            | ("float", value @ Self::Float(_)) => Ok(value),
            ("float", Self::Int(int)) => Ok(Self::Float(int as f64)),
            ("timestamp", value @ Self::Text(_)) if looks_like_a_date(text) => Ok(value),
            _ => Err(format!("`{text}` is no !!{wanted}")),
        }
    }

    fn plain(text: &str) -> Self {
        match text {
            text if is_null(text) => return Self::Null,
            "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
                return Self::Bool(true);
            }
            "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
                return Self::Bool(false);
            }
            ".nan" | ".NaN" | ".NAN" => return Self::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Self::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => return Self::Float(f64::NEG_INFINITY),
            _ => {}
        }
        let number = match text.as_bytes().first() {
            // Underscores are taken out of numbers, but not of those that begin with a point.
            Some(b'.') => float(text),
            Some(b'0'..=b'9' | b'+' | b'-') if !looks_like_a_date(text) => {
                let digits = text.replace('_', "");
                integer(&digits).or_else(|| float(&digits))
            }
            _ => None,
        };
        number.unwrap_or_else(|| Self::Text(text.to_owned()))
    }

    /// The JSON that kubectl makes of it.
    pub(super) fn into_value(self) -> Result<Value, String> {
        /// Floats that stand for an integer of `int64` become one.
        const INTEGERS_END: f64 = 9.2e18;
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => value.into(),
            Self::Int(value) => value.into(),
            Self::Text(value) => value.into(),
            Self::Uint(value) => (value as f64).into(),
            Self::Float(value) if value.fract() == 0.0 && value.abs() < INTEGERS_END => (value as i64).into(),
            Self::Float(value) => {
                Number::from_f64(value).ok_or_else(|| format!("{value} is no value of JSON"))?.into()
            }
        })
    }

    /// The key that kubectl makes of it.
    pub(super) fn into_key(self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Bool(value) => Ok(value.to_string()),
            Self::Int(value) => Ok(value.to_string()),
            Self::Float(value) => Ok(shortest_float32(value)),
            Self::Null => Err("null cannot be a key: write it in quotes".to_owned()),
            Self::Uint(value) => Err(format!("{value} is too large for a key: write it in quotes")),
        }
    }
}

/// `!!int` and its long form → `int`.
pub(super) fn core_tag(tag: &str) -> Option<&str> {
    tag.strip_prefix("tag:yaml.org,2002:").or_else(|| tag.strip_prefix("!!"))
}

/// Such a word stays text, whether it is a date or not.
/// A plain word that means null.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn looks_like_a_date(text: &str) -> bool {
    let (year, rest) = text.as_bytes().split_at_checked(4).unwrap_or_default();
    !year.is_empty()
        && year.iter().all(u8::is_ascii_digit)
        && rest.len() > 1
        && rest.first() == Some(&b'-')
        && !text.contains('_')
}

/// Go's `strconv.ParseInt` and `ParseUint` with base 0: `0x`, `0o`, `0b`, and a leading zero for octal.
fn integer(text: &str) -> Option<Scalar> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, text.get(1..)?),
        b'+' => (false, true, text.get(1..)?),
        _ => (false, false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let size = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0i64.checked_sub_unsigned(size).map(Scalar::Int);
    }
    match i64::try_from(size) {
        Ok(value) => Some(Scalar::Int(value)),
        Err(_) if signed => None,
        Err(_) => Some(Scalar::Uint(size)),
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`, within the range of a double.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let mantissa_is_right = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    let exponent_is_right =
        exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    if !mantissa_is_right || !exponent_is_right {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Scalar::Float)
}

/// Go's `strconv.FormatFloat(value, 'g', -1, 32)`, which sigs.k8s.io/yaml makes keys with.
fn shortest_float32(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..21).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

fn base64(text: &str) -> Result<String, String> {
    let wrong = || "a !!binary value is no base64".to_owned();
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0u32);
    for c in text.bytes().filter(|c| !b"\r\n=".contains(c)) {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(wrong()),
        };
        bits = (bits << 6) | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.extend((bits >> count).to_be_bytes().last());
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
