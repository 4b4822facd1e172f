//! Words that tables record in English, in the language of a page: why a packet was lost, and by which rule a segment
//! was sent again.

use sim_core::LossCause;
use tcp_model::RetransmitReason;
use tcp_model::sample::EndReason;

use crate::bilingual::{Language, say};

const CAUSES: [LossCause; 10] = [
    LossCause::QueueFull,
    LossCause::QueueEarly,
    LossCause::Policed,
    LossCause::Random,
    LossCause::Scripted,
    LossCause::LinkDown,
    LossCause::NoRoute,
    LossCause::TtlExpired,
    LossCause::Middlebox,
    LossCause::NodeDown,
];

fn chinese_cause(cause: LossCause) -> &'static str {
    match cause {
        LossCause::QueueFull => "队列已满",
        LossCause::QueueEarly => "提前丢弃",
        LossCause::Policed => "被限速器丢弃",
        LossCause::Random => "随机丢失",
        LossCause::Scripted => "场景指定丢弃",
        LossCause::LinkDown => "链路中断",
        LossCause::NoRoute => "无路由",
        LossCause::TtlExpired => "生存时间到期",
        LossCause::Middlebox => "在途中被丢弃",
        LossCause::NodeDown => "节点停机",
    }
}

fn chinese_rule(rule: RetransmitReason) -> &'static str {
    match rule {
        RetransmitReason::DuplicateAcks => "重复确认",
        RetransmitReason::PartialAck => "部分确认",
        RetransmitReason::Sack => "SACK",
        RetransmitReason::Rack => "RACK",
        RetransmitReason::TailLossProbe => "TLP",
        RetransmitReason::Timeout => "RTO",
        RetransmitReason::AfterTimeout => "RTO 后的慢启动",
        RetransmitReason::Frto => "F-RTO 后的慢启动",
        RetransmitReason::SynTimeout => "SYN 超时",
        RetransmitReason::DuplicateSyn => "重复的 SYN",
        RetransmitReason::SimultaneousOpen => "同时打开",
        RetransmitReason::WindowProbe => "窗口探测",
        RetransmitReason::PathMtu => "路径 MTU",
    }
}

const END_REASONS: [EndReason; 10] = [
    EndReason::Closed,
    EndReason::Refused,
    EndReason::Reset,
    EndReason::Aborted,
    EndReason::TimedOut,
    EndReason::TimeWaitOverflow,
    EndReason::StillOpen,
    EndReason::Crashed,
    EndReason::Unreachable,
    EndReason::FinWaitExpired,
];

/// How a connection ended: as tables record it, and in Chinese.
pub(crate) fn end_reason(reason: EndReason) -> (&'static str, &'static str) {
    match reason {
        EndReason::Closed => ("closed", "正常关闭"),
        EndReason::Refused => ("refused", "被拒绝"),
        EndReason::Reset => ("reset", "被复位"),
        EndReason::Aborted => ("aborted", "异常中止"),
        EndReason::TimedOut => ("timed out", "超时"),
        EndReason::TimeWaitOverflow => ("TIME-WAIT table full", "TIME-WAIT 表已满"),
        EndReason::StillOpen => ("still open", "仍打开"),
        EndReason::Crashed => ("crashed", "主机崩溃"),
        EndReason::Unreachable => ("unreachable", "不可达"),
        EndReason::FinWaitExpired => ("FIN-WAIT-2 expired", "FIN-WAIT-2 到期"),
    }
}

/// How a connection ended, as recorded, in a language.
pub(crate) fn outcome(recorded: &str, language: Language) -> &str {
    let mut all = END_REASONS.into_iter().map(end_reason);
    let known = all.find(|(english, _)| *english == recorded);
    known.map_or(recorded, |(english, chinese)| {
        language.pick(english, chinese)
    })
}

/// The fate of a packet that did not arrive, as recorded: "lost: queue full". A cause that is not known is shown as it
/// is.
pub(crate) fn fate(recorded: &str, language: Language) -> String {
    match recorded.strip_prefix("lost: ") {
        Some(cause) => {
            let cause = self::cause(cause, language);
            say!(language, "lost: {cause}", "丢失：{cause}")
        }
        None => match (language, recorded) {
            (Language::Chinese, "duplicate") => "重复".to_owned(),
            (Language::Chinese, "received") => "已收到".to_owned(),
            (Language::Chinese, "unseen") => "未见到".to_owned(),
            _ => recorded.to_owned(),
        },
    }
}

/// Why a packet was lost, as recorded: "queue full".
pub(crate) fn cause(recorded: &str, language: Language) -> String {
    if language == Language::English {
        return recorded.to_owned();
    }
    let known = CAUSES.iter().find(|cause| cause.to_string() == recorded);
    match known {
        Some(cause) => chinese_cause(*cause).to_owned(),
        // What a capture shows of a loss.
        None if recorded == "sent again without an ACK" => "未得到确认而重传".to_owned(),
        None => recorded.to_owned(),
    }
}

/// What stands for a rule in the table of a capture, which does not show by which rule a segment was sent again.
pub(crate) const SEEN_BEFORE: &str = "seen before";

/// The rule by which a segment was sent again, as recorded: "duplicate ACKs".
pub(crate) fn rule(recorded: &str, language: Language) -> String {
    if recorded == SEEN_BEFORE {
        return language.pick(SEEN_BEFORE, "此前已出现").to_owned();
    }
    let known = RetransmitReason::ALL.iter();
    let known = known.clone().find(|rule| rule.as_str() == recorded);
    match (language, known) {
        (Language::Chinese, Some(rule)) => chinese_rule(*rule).to_owned(),
        _ => recorded.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_and_rule_is_known_in_chinese() {
        for cause in CAUSES {
            let words = super::cause(&cause.to_string(), Language::Chinese);
            assert_eq!(words, chinese_cause(cause));
        }
        for rule in RetransmitReason::ALL {
            let words = super::rule(rule.as_str(), Language::Chinese);
            assert_eq!(words, chinese_rule(rule));
        }
        assert_eq!(super::rule(SEEN_BEFORE, Language::Chinese), "此前已出现");
        assert_eq!(super::rule(SEEN_BEFORE, Language::English), SEEN_BEFORE);
        let fate = |text| super::fate(text, Language::Chinese);
        assert_eq!(fate("lost: queue full"), "丢失：队列已满");
        assert_eq!(
            super::fate("lost: queue full", Language::English),
            "lost: queue full"
        );
    }
}
