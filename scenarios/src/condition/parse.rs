//! Parses a condition by recursive descent, with one function for each precedence.

use super::{ConditionError, ConditionNode, ConditionValue, Relation};
use reports::Unit;

/// Maximum depth of nested parentheses and signs: each level takes stack space.
const DEEPEST: usize = 64;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Name(String),
    Sign(&'static str),
}

impl Token {
    fn words(&self) -> String {
        match self {
            Token::Number(x) => x.to_string(),
            Token::Text(text) => format!("{text:?}"),
            Token::Name(name) => name.clone(),
            Token::Sign(sign) => format!("`{sign}`"),
        }
    }
}

/// All signs, the longer ones first.
const SIGNS: [&str; 17] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ",", "+", "*", "/",
];

/// Returns the index of a name.
type LookUp<'a> = &'a dyn Fn(&str) -> Result<usize, ConditionError>;

/// Parses the whole text.
pub(super) fn parse(text: &str, look_up: LookUp<'_>) -> Result<ConditionNode, ConditionError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        look_up,
    };
    let node = parser.any()?;
    match parser.tokens.get(parser.at) {
        None => Ok(node),
        Some(token) => Err(ConditionError::AfterEnd(token.words())),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, ConditionError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let after_value = matches!(
            tokens.last(),
            Some(Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Sign(")" | "]"))
        );
        let length = if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else if first == '"' || first == '\'' {
            let inner = &rest[1..];
            let end = inner.find(first).ok_or(ConditionError::UnclosedText)?;
            tokens.push(Token::Text(inner[..end].to_owned()));
            end + 2
        } else if first == '-' && after_value {
            tokens.push(Token::Sign("-"));
            1
        } else if first.is_ascii_digit() || first == '-' || first == '.' {
            let length = number_length(rest);
            let digits = rest[..length].replace('_', "");
            let number = digits.parse::<f64>().ok().filter(|x| x.is_finite());
            tokens.push(Token::Number(number.ok_or_else(|| {
                ConditionError::NotANumber(rest[..length.max(1)].to_owned())
            })?));
            length
        } else if is_part_of_name(first) {
            let length = rest
                .find(|c| !is_part_of_name(c) && !matches!(c, '.' | '-' | '[' | ']'))
                .unwrap_or(rest.len());
            // `in [a]` and `x]` are not parts of a name, but `workload[0].x` is a name.
            let name = name_of(&rest[..length]);
            tokens.push(Token::Name(name.to_owned()));
            name.len()
        } else {
            return Err(ConditionError::UnknownSign(first));
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn is_part_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The longest prefix that is a path: parts joined by dots and hyphens, with numbers in brackets.
fn name_of(text: &str) -> &str {
    let mut end = 0;
    let mut rest = text;
    loop {
        let part = rest.find(|c| !is_part_of_name(c)).unwrap_or(rest.len());
        if part == 0 {
            break;
        }
        end += part;
        rest = &text[end..];
        let index = rest.strip_prefix('[').and_then(|r| r.split_once(']'));
        if let Some((digits, _)) = index
            && !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit())
        {
            end += digits.len() + 2;
            rest = &text[end..];
        }
        match rest.chars().next() {
            Some('.' | '-') if rest[1..].starts_with(is_part_of_name) => {
                end += 1;
                rest = &text[end..];
            }
            _ => break,
        }
    }
    &text[..end]
}

fn number_length(text: &str) -> usize {
    let mut length = 0;
    let mut before = ' ';
    for c in text.chars() {
        let goes_on = c.is_ascii_digit()
            || matches!(c, '.' | '_' | 'e' | 'E')
            || (matches!(c, '-' | '+') && (length == 0 || matches!(before, 'e' | 'E')));
        if !goes_on {
            break;
        }
        length += c.len_utf8();
        before = c;
    }
    length
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    look_up: LookUp<'a>,
}

impl Parser<'_> {
    /// Consumes the next token if it is one of these signs or words.
    fn take(&mut self, wanted: &[&'static str]) -> Option<&'static str> {
        let found = match self.tokens.get(self.at)? {
            Token::Sign(sign) => wanted.iter().find(|w| **w == *sign),
            Token::Name(name) => wanted.iter().find(|w| **w == name.as_str()),
            _ => None,
        }?;
        self.at += 1;
        Some(*found)
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), ConditionError> {
        match self.take(&[sign]) {
            Some(_) => Ok(()),
            None => Err(ConditionError::Missing(sign)),
        }
    }

    /// Calls `read` one nesting level deeper.
    fn within<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ConditionError>,
    ) -> Result<T, ConditionError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(ConditionError::TooDeep(DEEPEST));
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn any(&mut self) -> Result<ConditionNode, ConditionError> {
        let mut node = self.all()?;
        while self.take(&["||", "or"]).is_some() {
            node = ConditionNode::Any(Box::new(node), Box::new(self.all()?));
        }
        Ok(node)
    }

    fn all(&mut self) -> Result<ConditionNode, ConditionError> {
        let mut node = self.not()?;
        while self.take(&["&&", "and"]).is_some() {
            node = ConditionNode::All(Box::new(node), Box::new(self.not()?));
        }
        Ok(node)
    }

    fn not(&mut self) -> Result<ConditionNode, ConditionError> {
        match self.take(&["!", "not"]) {
            Some(_) => Ok(ConditionNode::Not(Box::new(self.within(Self::not)?))),
            None => self.comparison(),
        }
    }

    fn comparison(&mut self) -> Result<ConditionNode, ConditionError> {
        let node = self.sum()?;
        let relation = match self.take(&["==", "!=", "<=", ">=", "<", ">", "in"]) {
            None => return Ok(node),
            Some("in") => return Ok(ConditionNode::Among(Box::new(node), self.list()?)),
            Some("==") => Relation::Equal,
            Some("!=") => Relation::Unequal,
            Some("<=") => Relation::AtMost,
            Some(">=") => Relation::AtLeast,
            Some("<") => Relation::Less,
            Some(_) => Relation::Greater,
        };
        Ok(ConditionNode::Compare(
            relation,
            Box::new(node),
            Box::new(self.sum()?),
        ))
    }

    fn list(&mut self) -> Result<Vec<ConditionNode>, ConditionError> {
        self.expect("[")?;
        let mut all = Vec::new();
        while self.take(&["]"]).is_none() {
            if !all.is_empty() {
                self.expect(",")?;
            }
            all.push(self.sum()?);
        }
        Ok(all)
    }

    fn sum(&mut self) -> Result<ConditionNode, ConditionError> {
        let mut node = self.product()?;
        while let Some(sign) = self.take(&["+", "-"]) {
            let sign = if sign == "+" { '+' } else { '-' };
            node = ConditionNode::Calculate(sign, Box::new(node), Box::new(self.product()?));
        }
        Ok(node)
    }

    fn product(&mut self) -> Result<ConditionNode, ConditionError> {
        let mut node = self.single()?;
        while let Some(sign) = self.take(&["*", "/"]) {
            let sign = if sign == "*" { '*' } else { '/' };
            node = ConditionNode::Calculate(sign, Box::new(node), Box::new(self.single()?));
        }
        Ok(node)
    }

    fn single(&mut self) -> Result<ConditionNode, ConditionError> {
        if self.take(&["("]).is_some() {
            let node = self.within(Self::any)?;
            self.expect(")")?;
            return Ok(node);
        }
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        Ok(match token {
            None => return Err(ConditionError::EndsEarly),
            Some(Token::Number(x)) => ConditionNode::Value(ConditionValue::Number(x, Unit::One)),
            Some(Token::Text(text)) => {
                ConditionNode::Value(ConditionValue::of(&toml::Value::String(text)))
            }
            Some(Token::Name(name)) => match name.as_str() {
                "true" => ConditionNode::Value(ConditionValue::Switch(true)),
                "false" => ConditionNode::Value(ConditionValue::Switch(false)),
                name => ConditionNode::Named((self.look_up)(name)?),
            },
            Some(sign) => return Err(ConditionError::NotAValue(sign.words())),
        })
    }
}
