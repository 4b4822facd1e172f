//! The numbers that arguments of calls stand for: names, flags joined by `|`, descriptors.

use super::calls::NoResult;
use super::{Runner, Step, differs, no_such};
use crate::errno::EBADF;
use crate::packetdrill::ast::{Expr, SystemCall};
use crate::sockets::socket_constants;
use crate::sockets::{Family, SocketNo};

impl Runner<'_, '_> {
    /// Argument number `n` as a number.
    pub(super) fn arg(&self, call: &SystemCall, n: usize) -> Step<i64> {
        self.number(argument(call, n)?)
    }

    /// The same for numbers that differ between systems.
    pub(super) fn arg_in(&self, call: &SystemCall, n: usize, family: Family) -> Step<i64> {
        self.number_in(argument(call, n)?, family)
    }

    /// A number converted to Linux's, or `[n]`.
    pub(super) fn number_in(&self, expr: &Expr, family: Family) -> Step<i64> {
        match expr {
            Expr::Int(n) => Ok(self.options.system.to_linux(family, *n)),
            Expr::List(all) if all.len() == 1 => self.number_in(&all[0], family),
            Expr::Binary("|", a, b) => Ok(self.number_in(a, family)? | self.number_in(b, family)?),
            other => self.number(other),
        }
    }

    /// A number, the name of one, or several joined by `|`.
    pub(super) fn number(&self, expr: &Expr) -> Step<i64> {
        match expr {
            Expr::Int(n) => Ok(*n),
            Expr::Word(name) => match self.constant(name) {
                Some(n) => Ok(n),
                None => no_such("constant", name, socket_constants::names()),
            },
            Expr::Binary("|", a, b) => Ok(self.number(a)? | self.number(b)?),
            Expr::Apply(name, args) if matches!(name.as_str(), "htons" | "htonl") => {
                args.first().map_or(Ok(0), |e| self.number(e))
            }
            other => differs("an argument", "a number", format!("{other:?}")),
        }
    }

    /// The value of a constant or a defined name.
    pub(super) fn constant(&self, name: &str) -> Option<i64> {
        let state = || self.options.system.state_named(name);
        socket_constants::constant(name).or_else(state).or_else(|| {
            let value = self.defines.get(name)?;
            value
                .parse()
                .ok()
                .or_else(|| socket_constants::constant(value))
        })
    }

    /// The socket that argument number `n` stands for.
    pub(super) fn socket_of(&self, call: &SystemCall, n: usize) -> Result<SocketNo, NoResult> {
        let fd = self.arg(call, n)?;
        Ok(self.fds.get(&fd).copied().ok_or(EBADF)?)
    }
}

pub(super) fn argument(call: &SystemCall, n: usize) -> Step<&Expr> {
    match call.args.get(n) {
        Some(expr) => Ok(expr),
        None => differs(
            format!("arguments of {}", call.name),
            format!("at least {}", n + 1),
            call.args.len().to_string(),
        ),
    }
}
