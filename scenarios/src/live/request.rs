//! Requests to the server of `--serve`: which are answered, and with what. No network here.

use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use reports::Language;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The page, in this language.
    Page(Language),
    /// The part of the page that changes.
    Part,
    /// Its script.
    Script,
    /// The page, at its right address.
    Redirect,
    /// A file of the results: a path relative to their directory.
    File(PathBuf),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is no request that we understand: 400.
    Malformed,
    /// It has no token, or was made for another host: 403.
    Forbidden,
    /// There is no such thing: 404.
    NotFound,
    /// It is no GET: 405.
    NotGet,
}

/// Reads the head of a request (RFC 9112), which ends with an empty line.
///
/// `own` is the server's address. A page of a foreign site can make the browser send requests here, if its
/// name resolves to this address (DNS rebinding); the name is then in the field Host, so only names of this
/// address are accepted. What such a page cannot know is the token.
///
/// # Errors
/// When it must be refused.
pub(super) fn read(head: &str, own: SocketAddr, token: &str) -> Result<Wanted, Refusal> {
    let mut lines = head.split("\r\n");
    let first: Vec<&str> = lines.next().unwrap_or("").split(' ').collect();
    let [method, target, version] = first[..] else {
        return Err(Refusal::Malformed);
    };
    if !version.starts_with("HTTP/1.") {
        return Err(Refusal::Malformed);
    }
    let fields: Vec<(&str, &str)> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.trim()))
        .collect();
    let all = |name: &'static str| {
        let same = move |f: &&(&str, &str)| f.0.eq_ignore_ascii_case(name);
        fields.iter().filter(same).map(|f| f.1).collect::<Vec<_>>()
    };
    // RFC 9112 section 3.2: none, or several, is an error.
    let [host] = all("host")[..] else {
        return Err(Refusal::Malformed);
    };
    let local = format!("localhost:{}", own.port());
    if host != own.to_string() && !host.eq_ignore_ascii_case(&local) {
        return Err(Refusal::Forbidden);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let rest = path.strip_prefix('/').ok_or(Refusal::Malformed)?;
    let (given, rest) = match rest.split_once('/') {
        Some((given, rest)) => (given, Some(rest)),
        None => (rest, None),
    };
    if !is_same(given, token) {
        return Err(Refusal::Forbidden);
    }
    if method != "GET" {
        return Err(Refusal::NotGet);
    }
    match rest {
        None => Ok(Wanted::Redirect),
        Some("") => Ok(Wanted::Page(language(query, &all("accept-language")))),
        Some("now") => Ok(Wanted::Part),
        Some("live.js") => Ok(Wanted::Script),
        Some(rest) => match rest.strip_prefix("results/") {
            Some(file) => relative(file).map(Wanted::File).ok_or(Refusal::NotFound),
            None => Err(Refusal::NotFound),
        },
    }
}

/// Compares in a time that does not depend on where the first difference is.
fn is_same(given: &str, token: &str) -> bool {
    let differ = given.bytes().zip(token.bytes());
    let differ = differ.fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == token.len() && differ == 0
}

/// The language that the address names, or else the first that the browser prefers.
fn language(query: &str, accepted: &[&str]) -> Language {
    let chosen = query.split('&').find_map(|part| part.strip_prefix("lang="));
    let code = chosen.or(accepted.first().copied()).unwrap_or("");
    match code.starts_with("zh") {
        true => Language::Chinese,
        false => Language::English,
    }
}

/// A path below a directory, with percent-encoding (RFC 3986 section 2.1) removed. None if it leads out of the
/// directory, or has a hidden component: those are files still being written.
fn relative(path: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, more @ ..] = rest {
        let (byte, more) = match (first, more) {
            (b'%', [high, low, more @ ..]) => {
                let digit = |d: &u8| char::from(*d).to_digit(16);
                let byte = digit(high)? * 16 + digit(low)?;
                (u8::try_from(byte).ok()?, more)
            }
            (b'%', _) => return None,
            (byte, more) => (*byte, more),
        };
        bytes.push(byte);
        rest = more;
    }
    let path = PathBuf::from(String::from_utf8(bytes).ok()?);
    let is_plain = |c: Component<'_>| match c {
        Component::Normal(name) => name
            .to_str()
            .is_some_and(|n| !n.starts_with('.') && !n.contains('\0')),
        _ => false,
    };
    (path.components().next().is_some() && path.components().all(is_plain)).then_some(path)
}

/// The media type of a file of results.
pub(super) fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|e| e.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("csv") => "text/csv; charset=utf-8",
        Some("json") => "application/json",
        Some("toml" | "txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123abcd";

    fn ask(line: &str, fields: &str) -> Result<Wanted, Refusal> {
        let own: SocketAddr = "127.0.0.1:4711".parse().unwrap();
        read(&format!("{line} HTTP/1.1\r\n{fields}\r\n\r\n"), own, TOKEN)
    }

    #[test]
    fn only_gets_with_the_token_and_our_own_host_are_answered() {
        let host = "Host: 127.0.0.1:4711";
        assert_eq!(
            ask("GET /0123abcd/", host),
            Ok(Wanted::Page(Language::English))
        );
        assert_eq!(
            ask("GET /0123abcd/", "hOST: LocalHost:4711"),
            Ok(Wanted::Page(Language::English))
        );
        assert_eq!(ask("GET /0123abcd", host), Ok(Wanted::Redirect));
        assert_eq!(ask("GET /0123abcd/now", host), Ok(Wanted::Part));
        for (line, fields, refusal) in [
            ("GET /", host, Refusal::Forbidden),
            ("GET /0123abcx/", host, Refusal::Forbidden),
            ("GET /0123abcd0/", host, Refusal::Forbidden),
            ("GET /?0123abcd", host, Refusal::Forbidden),
            (
                "GET /0123abcd/",
                "Host: example.com:4711",
                Refusal::Forbidden,
            ),
            ("GET /0123abcd/", "Host: 127.0.0.1", Refusal::Forbidden),
            (
                "GET /0123abcd/",
                "Host: 127.0.0.1:4711\r\nHost: a",
                Refusal::Malformed,
            ),
            ("GET /0123abcd/", "Accept: */*", Refusal::Malformed),
            (
                "GET http://127.0.0.1:4711/0123abcd/",
                host,
                Refusal::Malformed,
            ),
            ("POST /0123abcd/", host, Refusal::NotGet),
            ("POST /", host, Refusal::Forbidden),
            ("GET /0123abcd/other", host, Refusal::NotFound),
            ("GET", host, Refusal::Malformed),
        ] {
            assert_eq!(ask(line, fields), Err(refusal), "{line} {fields}");
        }
    }

    #[test]
    fn the_address_or_the_browser_chooses_the_language() {
        let zh = Ok(Wanted::Page(Language::Chinese));
        let en = Ok(Wanted::Page(Language::English));
        let host = "Host: 127.0.0.1:4711";
        let chinese = format!("{host}\r\nAccept-Language: zh-CN,en;q=0.8");
        assert_eq!(ask("GET /0123abcd/?lang=zh", host), zh);
        assert_eq!(ask("GET /0123abcd/", &chinese), zh);
        assert_eq!(ask("GET /0123abcd/?lang=en", &chinese), en);
    }

    #[test]
    fn no_path_leads_out_of_the_results() {
        assert_eq!(
            relative("runs/a%20b/report.html"),
            Some("runs/a b/report.html".into())
        );
        for path in [
            "",
            "..",
            "a/../../b",
            "/etc/passwd",
            "%2e%2e/a",
            "%2Fetc",
            "a/.tmp-1/x",
            "%zz",
            "a%0",
            "%ff",
            "a%00",
        ] {
            assert_eq!(relative(path), None, "{path}");
        }
    }
}
