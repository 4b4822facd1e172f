//! The sentences of a story.

use tcp_model::State;

use super::waits::Cause;
use crate::bilingual::{Bilingual, Language};
use crate::figures::conversation::LadderSegment;
use crate::recorded_words;

/// Sender and receiver.
type EndNames<'a> = (&'a str, &'a str);

/// The state that the sender enters, if known.
fn enters(s: &LadderSegment) -> (String, String) {
    match s.state_at_sender {
        Some(state) => (
            format!(" {} is its state now.", state.name()),
            format!("此时它处于 {}。", state.name()),
        ),
        None => (String::new(), String::new()),
    }
}

pub(super) fn syn((a, b): EndNames<'_>, s: &LadderSegment, crossing: bool) -> Bilingual {
    let (en, zh) = enters(s);
    if crossing {
        return Bilingual::new(
            format!(
                "{a} also sends a SYN, before it has received {b}'s: a simultaneous open. Its own initial \
                 sequence number is {}.{en}",
                s.seq
            ),
            format!(
                "{a} 在收到 {b} 的 SYN 之前也主动打开：同时打开。它自己的初始序号为 {}。{zh}",
                s.seq
            ),
        );
    }
    Bilingual::new(
        format!(
            "{a} asks to open a connection to {b}: SYN = 1, and x = {} is its initial sequence number. \
             A SYN takes one sequence number, so the answer will acknowledge x+1.{en}",
            s.seq
        ),
        format!(
            "{a} 请求与 {b} 建立连接：SYN = 1，初始序号 x = {}。SYN 占用一个序号，所以对方将确认 x+1。{zh}",
            s.seq
        ),
    )
}

pub(super) fn syn_ack((a, b): EndNames<'_>, s: &LadderSegment, both: bool) -> Bilingual {
    let (en, zh) = enters(s);
    if both {
        return Bilingual::new(
            format!(
                "{a} has received the SYN of {b} while its own was on the way: both ends pass through \
                 SYN-RECEIVED, and each acknowledges the other's SYN.{en}"
            ),
            format!(
                "{a} 在自己的 SYN 尚未得到确认时收到了 {b} 的 SYN：两端都经过 SYN-RECEIVED，各自确认对方的 SYN。{zh}"
            ),
        );
    }
    Bilingual::new(
        format!(
            "{a} answers with SYN and ACK in one segment: ack = x+1 acknowledges the SYN of {b}, and \
             y = {} is {a}'s own initial sequence number.{en}",
            s.seq
        ),
        format!(
            "{a} 用一个报文段同时回应 SYN 与 ACK：ack = x+1 确认 {b} 的 SYN，y = {} 是 {a} 自己的初始序号。{zh}",
            s.seq
        ),
    )
}

pub(super) fn third_ack((a, b): EndNames<'_>, s: &LadderSegment) -> Bilingual {
    let (en, zh) = enters(s);
    Bilingual::new(
        format!(
            "{a} acknowledges {b}'s SYN with ack = y+1: the third segment of the handshake. Now each end \
             knows that the other has its initial sequence number; without this segment an old duplicate \
             SYN could open a connection that nobody wants.{en}"
        ),
        format!(
            "{a} 用 ack = y+1 确认 {b} 的 SYN：三次握手的第三个报文段。至此双方都知道对方已收到自己的初始序号；\
             若没有它，网络中迟到的旧 SYN 就可能建立无人需要的连接。{zh}"
        ),
    )
}

pub(super) fn data((a, b): EndNames<'_>, s: &LadderSegment, iss: Option<u32>) -> Bilingual {
    let from = relative(s.seq, iss);
    let to = relative(s.seq.wrapping_add(s.len).wrapping_sub(1), iss);
    let push = if s.has("PSH") {
        (
            " PSH asks the receiver to hand the data to its application without waiting for more.",
            "PSH 要求接收方立即把数据交给应用，而不等待更多数据。",
        )
    } else {
        ("", "")
    };
    Bilingual::new(
        format!(
            "{a} sends {} bytes to {b}, bytes {from} to {to} of its stream.{}",
            s.len, push.0
        ),
        format!(
            "{a} 向 {b} 发送 {} 字节，即其字节流的第 {from} 至 {to} 字节。{}",
            s.len, push.1
        ),
    )
}

pub(super) fn ack((a, b): EndNames<'_>, s: &LadderSegment, iss: Option<u32>) -> Bilingual {
    let next = relative(s.ack, iss);
    Bilingual::new(
        format!(
            "{a} acknowledges everything before byte {next} of {b}'s stream: the number names the byte it expects next."
        ),
        format!(
            "{a} 确认已收到 {b} 字节流中第 {next} 字节之前的全部数据：确认号是期望收到的下一个字节。"
        ),
    )
}

pub(super) fn repeated_ack((a, _): EndNames<'_>, s: &LadderSegment, of_fin: bool) -> Bilingual {
    if of_fin {
        return Bilingual::new(
            format!(
                "{a} repeats its ACK of the FIN: the FIN arrived again, so the first ACK was lost or late."
            ),
            format!("{a} 再次确认 FIN：FIN 又到达了一次，说明之前的 ACK 可能已丢失。"),
        );
    }
    Bilingual::new(
        format!(
            "{a} repeats its acknowledgment (ack = {}, window = {}): something arrived out of order or \
             twice, or its window has changed.",
            s.ack, s.detail.window
        ),
        format!(
            "{a} 重复其确认（ack = {}，窗口 = {}）：有报文段乱序或重复到达，或者它在通告窗口。",
            s.ack, s.detail.window
        ),
    )
}

pub(super) fn closed_window((a, b): EndNames<'_>, _: &LadderSegment) -> Bilingual {
    Bilingual::new(
        format!(
            "{a} closes its window: its receive buffer is full because the application does not read. \
             {b} must stop sending, and probes from time to time whether the window has opened."
        ),
        format!(
            "{a} 把窗口关为 0：应用没有读取，接收缓冲区已满。{b} 必须停止发送，并不时探询窗口是否打开。"
        ),
    )
}

pub(super) fn open_window((a, b): EndNames<'_>, s: &LadderSegment) -> Bilingual {
    Bilingual::new(
        format!(
            "{a} opens its window again ({} in the header): the application has read, and {b} may send.",
            s.detail.window
        ),
        format!(
            "{a} 重新打开窗口（首部中为 {}）：应用已读取数据，{b} 可以继续发送。",
            s.detail.window
        ),
    )
}

pub(super) fn fin((a, b): EndNames<'_>, s: &LadderSegment, acks_fin: bool) -> Bilingual {
    let p = s.seq.wrapping_add(s.len);
    let data = match s.len {
        0 => (String::new(), String::new()),
        n => (
            format!(" The last {n} bytes travel with it."),
            format!("最后 {n} 字节与它同行。"),
        ),
    };
    let (en, zh) = enters(s);
    let second = if acks_fin {
        (
            format!(" The same segment acknowledges the FIN of {b}."),
            format!("同一报文段也确认了 {b} 的 FIN。"),
        )
    } else {
        (
            format!(" It continues to receive until {b} has closed as well."),
            format!("在 {b} 也关闭之前，它仍然继续接收。"),
        )
    };
    Bilingual::new(
        format!(
            "{a} has no more data to send: FIN = 1 with sequence number {p}. A FIN takes one sequence \
             number, as a SYN does.{}{}{en}",
            data.0, second.0
        ),
        format!(
            "{a} 不再有数据要发送：FIN = 1，序号为 {p}。FIN 与 SYN 一样占用一个序号。{}{}{zh}",
            data.1, second.1
        ),
    )
}

pub(super) fn ack_of_fin((a, b): EndNames<'_>, s: &LadderSegment) -> Bilingual {
    let more = match s.state_at_sender {
        Some(State::CloseWait) => (
            format!(" {a} is in CLOSE-WAIT: it may still send, until its application closes. That is why a close takes four segments and not three."),
            format!("{a} 处于 CLOSE-WAIT：在应用关闭之前仍可发送数据。这就是关闭连接需要四个报文段而不是三个的原因。"),
        ),
        Some(State::TimeWait) => (
            format!(" {a} stays in TIME-WAIT: if this ACK is lost, {b} retransmits its FIN and {a} acknowledges it again."),
            format!("{a} 停留在 TIME-WAIT：若这个 ACK 丢失，{b} 会重传 FIN，{a} 就能再次确认。"),
        ),
        Some(State::Closing) => (
            " The FINs crossed: both ends closed at once, and it waits in CLOSING for the ACK of its own.".to_owned(),
            "两个 FIN 在途中交错：双方同时关闭，它在 CLOSING 中等待对自己 FIN 的确认。".to_owned(),
        ),
        _ => (String::new(), String::new()),
    };
    Bilingual::new(
        format!(
            "{a} acknowledges the FIN of {b}: ack = {} is the FIN's number plus one.{}",
            s.ack, more.0
        ),
        format!(
            "{a} 确认 {b} 的 FIN：ack = {}，即 FIN 的序号加一。{}",
            s.ack, more.1
        ),
    )
}

pub(super) fn reset((a, b): EndNames<'_>, _: &LadderSegment) -> Bilingual {
    Bilingual::new(
        format!(
            "{a} resets the connection: RST = 1 ends it at once, without an answer and without \
             TIME-WAIT. Data that {b} has not read yet are lost."
        ),
        format!(
            "{a} 复位连接：RST = 1 立即终止连接，没有应答，也不经过 TIME-WAIT。{b} 尚未读取的数据将丢失。"
        ),
    )
}

/// `first` is the number of the segment that is repeated, from 1.
pub(super) fn again(s: &LadderSegment, first: usize) -> Bilingual {
    let rule = match s.reason.as_str() {
        "RTO" => (
            "no acknowledgment came before the retransmission time-out".to_owned(),
            "在重传超时之前没有收到确认".to_owned(),
        ),
        "SYN time-out" => (
            "no answer came before the time-out, which starts at one second and doubles each time"
                .to_owned(),
            "在超时之前没有收到应答；超时起初为一秒，之后每次加倍".to_owned(),
        ),
        "duplicate ACKs" => (
            "duplicate ACKs show that data beyond it have arrived".to_owned(),
            "重复的 ACK 表明其后的数据已到达".to_owned(),
        ),
        recorded_words::SEEN_BEFORE => (
            "a capture does not show why".to_owned(),
            "抓包文件不显示重传的原因".to_owned(),
        ),
        "" => ("it is sent again".to_owned(), "重新发送".to_owned()),
        rule => (
            format!("by the rule {rule}"),
            format!(
                "依据规则“{}”",
                recorded_words::rule(rule, Language::Chinese)
            ),
        ),
    };
    Bilingual::new(
        format!("It repeats segment {first}: {}.", rule.0),
        format!("它重复第 {first} 段：{}。", rule.1),
    )
}

pub(super) fn lost(fate: &str) -> Bilingual {
    let cause = fate.strip_prefix("lost: ").unwrap_or(fate);
    Bilingual::new(
        format!("It is lost on the way ({cause})."),
        format!(
            "它在途中丢失（{}）。",
            recorded_words::cause(cause, Language::Chinese)
        ),
    )
}

pub(super) fn unseen() -> Bilingual {
    Bilingual::new(
        "Its arrival was not recorded.".to_owned(),
        "未记录它的到达。".to_owned(),
    )
}

pub(super) fn arrived(receiver: &str, after: String, state: Option<State>) -> Bilingual {
    match state {
        Some(state) => Bilingual::new(
            format!(
                "It arrives {after} later, and {receiver} enters {}.",
                state.name()
            ),
            format!("{after} 后到达，{receiver} 进入 {}。", state.name()),
        ),
        None => Bilingual::new(
            format!("It arrives {after} later."),
            format!("{after} 后到达。"),
        ),
    }
}

pub(super) fn waited(name: &str, time: &str, cause: Cause) -> Bilingual {
    let (en, zh) = match cause {
        Cause::RoundTrip => (
            "for the other end's segment to arrive",
            "等待对方的报文段到达",
        ),
        Cause::TimeOut => (
            "for a timer: no acknowledgment had come",
            "等待定时器：一直没有得到确认",
        ),
        Cause::DelayedAck => (
            "in order to acknowledge more data at once (delayed ACK)",
            "为了一次确认更多数据（延迟 ACK）",
        ),
        Cause::Window => (
            "because the other end's window was closed",
            "因为对方的窗口为 0",
        ),
        Cause::Application => ("for its application", "等待自己的应用"),
        Cause::Sender => (
            "for its application, Nagle's algorithm or pacing",
            "等待应用、Nagle 算法或发送节奏",
        ),
    };
    Bilingual::new(
        format!("Before it {name} waited {time} {en}."),
        format!("此前 {name} {zh}，共 {time}。"),
    )
}

/// A reset ends TIME-WAIT.
pub(super) fn time_wait_reset(name: &str, stay: &str) -> Bilingual {
    Bilingual::new(
        format!(
            "A reset ends TIME-WAIT at {name} after {stay}, before 2MSL have passed (TIME-WAIT assassination, RFC 1337)."
        ),
        format!(
            "{stay} 后，在 2MSL 到期之前，一个复位终止了 {name} 的 TIME-WAIT（RFC 1337 所说的 TIME-WAIT assassination）。"
        ),
    )
}

/// A segment of the connection arrives after this end has left TIME-WAIT.
pub(super) fn time_wait_cut_short(name: &str, stay: &str) -> Bilingual {
    Bilingual::new(
        format!(
            "{name} stays in TIME-WAIT for only {stay}: less than 2MSL, since a segment of this connection is still \
             in the network. 2MSL would have been long enough for every old duplicate to die out, so that none \
             can be taken for data of a later connection between the same addresses and ports."
        ),
        format!(
            "{name} 在 TIME-WAIT 中只停留 {stay}：不到 2MSL，因为网络中还有这条连接的报文段。2MSL 足以让所有旧的重复报文段消失，\
             不会被相同地址和端口之间的后一条连接当作数据接收。"
        ),
    )
}

pub(super) fn time_wait(name: &str, stay: Option<&str>) -> Bilingual {
    let (en, zh) = match stay {
        Some(stay) => (
            format!("for {stay} (2MSL), then it is CLOSED"),
            format!("{stay}（2MSL），然后进入 CLOSED"),
        ),
        None => (
            "for 2MSL, beyond what was recorded".to_owned(),
            "2MSL，直到记录结束之后".to_owned(),
        ),
    };
    Bilingual::new(
        format!(
            "{name} stays in TIME-WAIT {en}. MSL is the longest time that a segment can live in the \
             network. One MSL is for its last ACK to get there or be lost, the other for a FIN sent \
             again to come back and be answered; and by then every old duplicate of this connection has \
             died out, so that none can be taken for data of a later connection between the same \
             addresses and ports."
        ),
        format!(
            "{name} 在 TIME-WAIT 中停留 {zh}。MSL 是报文段在网络中的最长生存时间：一个 MSL 留给最后的 ACK 到达（或丢失），\
             另一个 MSL 留给对方重传的 FIN 返回并得到应答；而且到那时，这条连接的所有旧的重复报文段都已消失，\
             不会被相同地址和端口之间的后一条连接当作数据接收。"
        ),
    )
}

/// A sequence number counted from the first byte, which is 1.
fn relative(value: u32, iss: Option<u32>) -> String {
    match iss {
        Some(iss) if value.wrapping_sub(iss) < 1 << 31 => value.wrapping_sub(iss).to_string(),
        _ => value.to_string(),
    }
}
