//! The kinds of argument that system calls take. Every argument is checked before the call is made: a
//! misspelt name is an error wherever it is, and surplus arguments and unknown fields are not ignored.

use super::{Runner, Step, invalid};
use crate::packetdrill::ast::{Expr, StructField, SystemCall};
use crate::suggest;

/// What one argument of a call may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A number, names joined by `|`, or `[n]`.
    Number,
    /// Bytes, which are ignored: `...`, a string or NULL.
    Buffer,
    /// A string.
    Text,
    /// An IP address: `inet_addr("…")`, `inet_pton(AF_INET6, "…")`.
    Ip,
    /// A structure, or NULL.
    Structure(&'static StructFields),
    /// `[{…}, {…}]`, a single structure, or NULL.
    Structures(&'static StructFields),
    /// A number or a structure.
    Either(&'static StructFields),
    /// The value of a socket option, whose form depends on the option: only its names are checked.
    Value,
}

/// The fields of a structure.
#[derive(Debug)]
pub(super) struct StructFields {
    /// The name of the structure, for messages.
    what: &'static str,
    named: &'static [(&'static str, Kind)],
    /// Fields that may be written without a name, by position.
    by_place: &'static [Kind],
}

const fn shape(
    what: &'static str,
    named: &'static [(&'static str, Kind)],
    by_place: &'static [Kind],
) -> StructFields {
    StructFields {
        what,
        named,
        by_place,
    }
}

use Kind::{Buffer, Either, Ip, Number, Structure, Structures, Text, Value};

pub(super) static ADDRESS: StructFields = shape(
    "an address",
    &[
        ("sa_family", Number),
        ("sin_family", Number),
        ("sin_port", Number),
        ("sin_addr", Ip),
        ("sin6_family", Number),
        ("sin6_port", Number),
        ("sin6_addr", Ip),
        ("sin6_flowinfo", Number),
        ("sin6_scope_id", Number),
    ],
    &[Ip],
);
pub(super) static BYTES: StructFields = shape(
    "a buffer",
    &[("iov_base", Buffer), ("iov_len", Number)],
    &[Buffer, Number],
);
pub(super) static MESSAGE: StructFields = shape(
    "a message",
    &[
        ("msg_name", Structure(&ADDRESS)),
        ("msg_iov", Structures(&BYTES)),
        ("msg_control", Structures(&CONTROL)),
        ("msg_flags", Number),
    ],
    &[],
);
static CONTROL: StructFields = shape(
    "a control message",
    &[
        ("cmsg_level", Number),
        ("cmsg_type", Number),
        ("cmsg_data", Either(&CONTROL_DATA)),
    ],
    &[],
);
static CONTROL_DATA: StructFields = shape(
    "the data of a control message",
    &[
        ("ee_errno", Number),
        ("ee_origin", Number),
        ("ee_type", Number),
        ("ee_code", Number),
        ("ee_info", Number),
        ("ee_data", Number),
        ("scm_sec", Number),
        ("scm_nsec", Number),
    ],
    &[],
);
pub(super) static POLLED: StructFields = shape(
    "an entry of poll",
    &[("fd", Number), ("events", Number), ("revents", Number)],
    &[],
);
pub(super) static EVENT: StructFields = shape(
    "an event",
    &[
        ("events", Number),
        ("fd", Number),
        ("ptr", Number),
        ("u32", Number),
        ("u64", Number),
    ],
    &[],
);
pub(super) static LINGER: StructFields = shape(
    "the value of SO_LINGER",
    &[("onoff", Number), ("linger", Number)],
    &[Number, Number],
);
pub(super) static TIME: StructFields = shape(
    "a time",
    &[("tv_sec", Number), ("tv_usec", Number)],
    &[Number, Number],
);

/// The arguments of a call.
pub(super) struct Takes {
    /// Required arguments.
    pub(super) all: &'static [Kind],
    /// Optional arguments, which follow.
    pub(super) more: &'static [Kind],
}

impl Runner<'_, '_> {
    /// Checks the arguments of a call before it is made.
    pub(super) fn check_arguments(&self, call: &SystemCall, takes: &Takes) -> Step<()> {
        let (name, given) = (&call.name, call.args.len());
        let (least, most) = (takes.all.len(), takes.all.len() + takes.more.len());
        if given < least || given > most {
            let right = match least == most {
                true => format!("{least}"),
                false => format!("{least} to {most}"),
            };
            let plural = if right == "1" { "" } else { "s" };
            return invalid(format!(
                "{name} takes {right} argument{plural}, not {given}"
            ));
        }
        let kinds = takes.all.iter().chain(takes.more);
        for (n, (kind, expr)) in kinds.zip(&call.args).enumerate() {
            let place = || format!("argument {} of {name}", n + 1);
            self.fits(*kind, expr, &place)?;
        }
        Ok(())
    }

    /// Checks one value; `...` fits everywhere.
    fn fits(&self, kind: Kind, expr: &Expr, place: &dyn Fn() -> String) -> Step<()> {
        let wrong = |wanted: &str| invalid(format!("{} is not {wanted}", place()));
        match (kind, expr) {
            (_, Expr::Any) | (Text | Buffer | Value, Expr::Text(_)) => Ok(()),
            (Text, _) => wrong("a string"),
            (Ip, Expr::Apply(function, args)) => match (function.as_str(), &args[..]) {
                ("inet_addr", [Expr::Text(_)]) => Ok(()),
                ("inet_pton", [family, Expr::Text(_), ..]) => self.number(family).map(drop),
                ("htonl", _) => self.is_null(expr, place, "inet_addr(\"…\")"),
                _ => wrong("inet_addr(\"…\") or inet_pton(…, \"…\")"),
            },
            (Ip, _) => self.is_null(expr, place, "inet_addr(\"…\")"),
            (Structure(shape) | Structures(shape) | Either(shape), Expr::Struct(fields)) => {
                self.fits_shape(shape, fields)
            }
            (Structures(shape), Expr::List(all)) => all
                .iter()
                .try_for_each(|one| self.fits(Structure(shape), one, place)),
            (Structure(shape) | Structures(shape), _) => self.is_null(expr, place, shape.what),
            (Buffer, _) => self.is_null(expr, place, "a buffer: `...`, a string or NULL"),
            (Value, Expr::Struct(fields)) => {
                let mut values = fields.iter().map(|field| &field.value);
                values.try_for_each(|value| self.fits(Value, value, place))
            }
            (Number | Value | Either(_), Expr::List(all)) => {
                all.iter().try_for_each(|one| self.fits(kind, one, place))
            }
            (Number | Value | Either(_), Expr::Int(_) | Expr::Word(_) | Expr::Binary(..)) => {
                self.number(expr).map(drop)
            }
            (Number | Value | Either(_), Expr::Apply(name, _))
                if matches!(name.as_str(), "htons" | "htonl") =>
            {
                self.number(expr).map(drop)
            }
            (Number | Value | Either(_), _) => wrong("a number"),
        }
    }

    /// Checks a number in place of something else: it can only be NULL.
    fn is_null(&self, expr: &Expr, place: &dyn Fn() -> String, wanted: &str) -> Step<()> {
        let number = match expr {
            Expr::Int(_) | Expr::Word(_) | Expr::Apply(..) => self.number(expr)?,
            _ => -1,
        };
        match number {
            0 => Ok(()),
            _ => invalid(format!("{} is not {wanted}", place())),
        }
    }

    /// Checks the fields of a structure: each must exist and be written once.
    pub(super) fn fits_shape(&self, shape: &StructFields, fields: &[StructField]) -> Step<()> {
        let mut places = shape.by_place.iter();
        for (n, field) in fields.iter().enumerate() {
            let Some(name) = field.name.as_deref() else {
                match (places.next(), &field.value) {
                    (_, Expr::Any) => {}
                    (Some(kind), value) => {
                        self.fits(*kind, value, &|| format!("a value in {}", shape.what))?;
                    }
                    (None, _) => {
                        return invalid(format!("a value without a name in {}", shape.what));
                    }
                }
                continue;
            };
            let Some((_, kind)) = shape.named.iter().find(|(known, _)| *known == name) else {
                let known = shape.named.iter().map(|(known, _)| *known);
                let near = suggest::nearest(name, known);
                let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
                return invalid(format!("{} has no field {name}{near}", shape.what));
            };
            if fields[..n].iter().any(|other| other.name == field.name) {
                return invalid(format!("{name} stands twice in {}", shape.what));
            }
            self.fits(*kind, &field.value, &|| name.to_string())?;
        }
        Ok(())
    }
}
