//! JSON → values, without what nobody looks at, and no more of them than a pod can need: a value takes many times the memory
//! of its text, and `[0,0,0…` of 3 MiB would take a hundred.

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::fmt;

/// A pod of 64 containers with 100 variables each has about 30 000. What they take is a part of the server's memory.
pub(super) const MOST: usize = 64_000;

/// Where in a review a value is, as far as something is left out there.
#[derive(Clone, Copy)]
enum Place {
    Review,
    Request,
    Object,
    Metadata,
    Elsewhere,
}

impl Place {
    /// What the value of this key is; `None`: nothing that anybody looks at. `managedFields` is often half of a pod.
    fn of(self, key: &str) -> Option<Self> {
        match (self, key) {
            (Self::Request, "oldObject" | "options" | "userInfo") | (Self::Metadata, "managedFields") => None,
            (Self::Review, "request") => Some(Self::Request),
            (Self::Request, "object") => Some(Self::Object),
            (Self::Object, "metadata") => Some(Self::Metadata),
            (Self::Review | Self::Request | Self::Object | Self::Metadata | Self::Elsewhere, _) => {
                Some(Self::Elsewhere)
            }
        }
    }
}

/// Reads a review.
///
/// # Errors
/// What is wrong with the JSON, and where.
pub(super) fn read(body: &[u8]) -> Result<Value, serde_json::Error> {
    let left = Cell::new(MOST);
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = Reader { place: Place::Review, left: &left }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    place: Place,
    left: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| D::Error::custom(format_args!("it has more than {MOST} values")))?);
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        let reader = Reader { place: Place::Elsewhere, ..self };
        while let Some(item) = items.next_element_seed(reader)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut mapping = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            match self.place.of(&key) {
                Some(place) => {
                    mapping.insert(key, entries.next_value_seed(Reader { place, ..self })?);
                }
                None => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(mapping.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_reads_what_serde_json_reads_but_for_what_is_left_out() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5e300,0.1,"x\u00e9\n",{"b":{}}],"a2":"","request":{"uid":"u",
            "userInfo":{"a":1},"options":[],"oldObject":{"metadata":{}},
            "object":{"metadata":{"managedFields":[{}],"name":"x"},"spec":{"managedFields":1,"userInfo":2}}}}"#;
        let mut whole: Value = serde_json::from_str(text).unwrap();
        for key in ["userInfo", "options", "oldObject"] {
            whole["request"].as_object_mut().unwrap().shift_remove(key).unwrap();
        }
        whole["request"]["object"]["metadata"]
            .as_object_mut()
            .unwrap()
            .shift_remove("managedFields")
            .unwrap();
        assert_eq!(read(text.as_bytes()).unwrap(), whole);
        assert_eq!(read(b"[1]").unwrap(), json!([1]));
    }

    #[test]
    fn what_is_no_json_or_too_much_of_it_is_an_error() {
        for text in ["", "{", "{} x", "nul", "{\"a\":}", "\u{feff}{}"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read(b"{\"a\":\"\xff\"}").is_err());
        let of = |count: usize| read(format!("[{}]", vec!["0"; count].join(",")).as_bytes());
        assert!(of(MOST - 1).is_ok());
        assert!(of(MOST).unwrap_err().to_string().starts_with("it has more than 64000 values"));
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert!(read(&deep).unwrap_err().to_string().starts_with("recursion limit exceeded"));
    }
}
