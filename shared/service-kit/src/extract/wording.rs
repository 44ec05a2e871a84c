//! What serde says of a wrong value, in sentences for people.

#[cfg(test)]
mod tests;

/// The stable code and the message of a mistake that serde tells in `message`. No type of ours is
/// named: what is not known here is told in general words, and our own types' messages as they are.
pub(super) fn told(message: &str) -> (&'static str, String) {
    let (shape, rest) = message.split_once(':').unwrap_or((message, ""));
    match shape {
        "invalid type" => ("wrong_type", mismatch(rest)),
        "invalid value" => ("invalid_value", mismatch(rest)),
        _ if message.starts_with("missing field") => ("missing", "is required".to_owned()),
        _ if message.starts_with("duplicate field") => ("duplicate", "occurs twice".to_owned()),
        _ if message.starts_with("unknown field") => {
            let known = choices(message).map(|names| format!(": known are {names}"));
            let known = known.unwrap_or_default();
            ("unknown_field", format!("is not known here{known}"))
        }
        _ => ("invalid_value", value(message)),
    }
}

/// `rest` is what was sent and what was expected: `integer `5`, expected a string`.
fn mismatch(rest: &str) -> String {
    // What was sent may hold the word too; what was expected does not.
    let (sent, wanted) = rest.rsplit_once(", expected ").unwrap_or((rest, ""));
    let sent = sent.trim_start();
    if let Some((least, most)) = integer(wanted) {
        return if sent.starts_with("floating point") {
            "must be a whole number without a decimal point".to_owned()
        } else if sent.starts_with("integer") {
            format!("must be a whole number between {least} and {most}")
        } else {
            "must be a whole number".to_owned()
        };
    }
    wanted_shape(wanted).map_or_else(
        || "has a form that is not allowed here".to_owned(),
        |shape| format!("must be {shape}"),
    )
}

fn wanted_shape(wanted: &str) -> Option<&str> {
    const OBJECTS: [&str; 4] = [
        "struct ",
        "a map",
        "internally tagged enum",
        "adjacently tagged enum",
    ];
    const LISTS: [&str; 4] = ["a sequence", "sequence", "a tuple", "tuple "];
    let shape = match wanted {
        "a string" | "string" | "str" | "a borrowed string" => "text",
        "a boolean" | "bool" => "true or false",
        "f32" | "f64" => "a number",
        "unit" | "null" => "null",
        "string or map" => "text or an object",
        "map" => "an object",
        _ if starts(wanted, &OBJECTS) => "an object",
        _ if starts(wanted, &LISTS) => "a list",
        _ if wanted.contains("UUID") => "a UUID",
        // The types' own words, such as chrono's "an RFC 3339 formatted date and time string".
        _ if starts(wanted, &["a ", "an "]) && !wanted.contains("::") => wanted,
        _ => return None,
    };
    Some(shape)
}

/// Least and most of an integer type.
fn integer(name: &str) -> Option<(i128, i128)> {
    let (unsigned, name) = match name.strip_prefix("a nonzero ") {
        Some(name) => (1, name),
        None => (0, name),
    };
    Some(match name {
        "u8" => (unsigned, u8::MAX.into()),
        "u16" => (unsigned, u16::MAX.into()),
        "u32" => (unsigned, u32::MAX.into()),
        "u64" | "usize" => (unsigned, u64::MAX.into()),
        "i8" => (i8::MIN.into(), i8::MAX.into()),
        "i16" => (i16::MIN.into(), i16::MAX.into()),
        "i32" => (i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" => (i64::MIN.into(), i64::MAX.into()),
        _ => return None,
    })
}

/// What the types of the standard library and of our dependencies say of text they cannot parse.
fn value(message: &str) -> String {
    let plain = match message {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "must be a whole number"
        }
        "number too large to fit in target type" => "is too large a number",
        "number too small to fit in target type" => "is too small a number",
        "number would be zero for non-zero type" => "must not be zero",
        "invalid float literal" | "cannot parse float from empty string" => "must be a number",
        "provided string was not `true` or `false`" => "must be true or false",
        "input contains invalid characters"
        | "input is out of range"
        | "input is not enough for unique date and time"
        | "premature end of input"
        | "trailing input"
        | "no possible date and time matching input" => "is not a date or time that can be read",
        _ if message.starts_with("UUID parsing failed") => "must be a UUID",
        _ if message.starts_with("invalid length") => "has the wrong number of items",
        _ if message.starts_with("data did not match any variant") => {
            "has a form that is not allowed here"
        }
        _ if message.starts_with("unknown variant") => {
            return choices(message).map_or_else(
                || "has a value that is not allowed here".to_owned(),
                |names| format!("must be one of: {names}"),
            );
        }
        _ => message,
    };
    plain.to_owned()
}

/// The names behind ", expected ", as a list. What stands before may quote the request.
fn choices(message: &str) -> Option<String> {
    let (_, names) = message.rsplit_once("`, expected ")?;
    let names = names.strip_prefix("one of ").unwrap_or(names);
    Some(names.replace("` or `", "`, `").replace('`', ""))
}

fn starts(text: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| text.starts_with(prefix))
}
