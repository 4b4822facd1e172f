//! Bulk flows and their goodput; losses and retransmissions.

use super::{MANY, RunFacts, UNUSUAL_SHARE};
use crate::bilingual::say;
use crate::format::{bit_rate, count, number, percent, seconds};
use crate::metrics;

impl RunFacts<'_> {
    /// Goodput of bulk transfers, flow by flow while each was active, and how fairly they shared.
    pub(super) fn goodput(&self) -> Option<String> {
        if self.get("requests_done").is_some() {
            return None;
        }
        let bps = self.positive("goodput_bps")?;
        let flows: Vec<String> = self
            .metrics
            .iter()
            .filter_map(|(name, &bps)| {
                let found = metrics::find(name)?;
                let is_goodput = found.metric.id == "flow_goodput.<flow>_bps";
                let flow = found.of.filter(|_| is_goodput)?;
                Some(say!(
                    self.language,
                    "{} for {flow}",
                    "{flow} 为 {}",
                    bit_rate(bps)
                ))
            })
            .collect();
        let fair = self.get("jain_index").map_or(String::new(), |j| {
            say!(
                self.language,
                "; while all were active, Jain's fairness index was {}",
                "；全部活动时 Jain 公平性指数为 {}",
                number(j)
            )
        });
        let own_lives = self.get("flow_goodput_mean_bps").map(bit_rate);
        Some(if let (true, Some(mean)) = (flows.is_empty(), own_lives) {
            say!(
                self.language,
                "Mean goodput of a flow while active was {mean}{fair}.",
                "一条流在活动期间的平均有效吞吐量为 {mean}{fair}。"
            )
        } else if flows.is_empty() {
            say!(
                self.language,
                "Goodput was {} over the whole run{fair}.",
                "整个运行期间的有效吞吐量为 {}{fair}。",
                bit_rate(bps)
            )
        } else {
            let established = self.get("connects_established").unwrap_or(0.0);
            let of = if established > flows.len() as f64 {
                say!(
                    self.language,
                    " ({} of {} flows; the others were not traced or sent less than 50 kB)",
                    "（{1} 条流中的 {0} 条；其余未被跟踪，或发送不足 50 kB）",
                    count(flows.len() as f64),
                    count(established)
                )
            } else {
                String::new()
            };
            say!(
                self.language,
                "Goodput while active was {}{of}{fair}.",
                "活动期间的有效吞吐量：{}{of}{fair}。",
                self.language.list(&flows)
            )
        })
    }

    /// Many retransmissions, which come before the usual findings.
    pub(super) fn many_retransmissions(&self) -> Option<String> {
        let again = self.positive("retransmissions")?;
        let sent = self.get("segments_sent").filter(|n| *n >= MANY)?;
        (again >= UNUSUAL_SHARE * sent)
            .then(|| self.losses())
            .flatten()
    }

    pub(super) fn few_losses(&self) -> Option<String> {
        match self.many_retransmissions() {
            Some(_) => None,
            None => self.losses(),
        }
    }

    pub(super) fn losses(&self) -> Option<String> {
        let sent = self.positive("segments_sent")?;
        let packets = |n: f64| self.language.counted(n, "packet", "packets", "个分组");
        let mut parts = Vec::new();
        if let Some(n) = self.positive("wire_losses_pkts") {
            parts.push(say!(
                self.language,
                "links lost {}",
                "链路丢失{}",
                packets(n)
            ));
        }
        if let Some(n) = self.positive("corrupted_pkts") {
            let verb = if n == 1.0 { "was" } else { "were" };
            parts.push(say!(
                self.language,
                "{} {verb} damaged on the way",
                "{}在途中损坏",
                packets(n)
            ));
        }
        if let Some(n) = self.positive("queue_drops_pkts") {
            parts.push(say!(
                self.language,
                "full queues dropped {}",
                "已满的队列丢弃{}",
                packets(n)
            ));
        }
        if let Some(n) = self.positive("early_drops_pkts") {
            parts.push(say!(
                self.language,
                "queue disciplines dropped {}",
                "排队规则丢弃{}",
                packets(n)
            ));
        }
        if let Some(n) = self.positive("policed_drops_pkts") {
            parts.push(say!(
                self.language,
                "policers dropped {}",
                "限速器丢弃{}",
                packets(n)
            ));
        }
        if let Some(n) = self.positive("ce_marks_pkts") {
            parts.push(say!(
                self.language,
                "queue disciplines marked {}",
                "排队规则标记{}",
                packets(n)
            ));
        }
        if let Some(again) = self.positive("retransmissions") {
            let verb = if again == 1.0 { "was" } else { "were" };
            let mut text = say!(
                self.language,
                "{} {verb} retransmitted ({} of all)",
                "重传{}（占全部的 {}）",
                self.language
                    .counted(again, "segment", "segments", "个报文段"),
                percent(again / sent)
            );
            let causes = [
                (
                    "fast_recoveries",
                    "fast recovery",
                    "fast recoveries",
                    "次快恢复",
                ),
                ("timeouts", "time-out", "time-outs", "次超时"),
            ];
            let causes = causes.iter().filter_map(|(name, one, many, zh)| {
                Some(self.language.counted(self.positive(name)?, one, many, zh))
            });
            let causes: Vec<String> = causes.collect();
            if !causes.is_empty() {
                text.push_str(&say!(
                    self.language,
                    ", with {}",
                    "，其中{}",
                    self.language.list(&causes)
                ));
            }
            if let Some(vain) = self.positive("retransmissions_spurious") {
                text.push_str(&say!(
                    self.language,
                    "; {} of them spurious",
                    "；{} 次是不必要的",
                    crate::format::count(vain)
                ));
            }
            parts.push(text);
        }
        if parts.is_empty() {
            return self.is_small().then(|| {
                self.language
                    .pick(
                        "Nothing was lost and nothing was retransmitted.",
                        "没有丢失，也没有重传。",
                    )
                    .to_owned()
            });
        }
        Some(say!(
            self.language,
            "{}.",
            "{}。",
            self.language
                .sentence(&parts.join(self.language.pick("; ", "；")))
        ))
    }

    /// Bulk flows cut off by the end of the run, if none was completed or some had hardly begun.
    pub(super) fn unfinished_flows(&self) -> Option<String> {
        let completed = self.get("flows_completed").unwrap_or(0.0);
        let unfinished = self
            .positive("flows_unfinished")
            .filter(|_| completed == 0.0);
        let mut parts = Vec::new();
        if let Some(n) = unfinished {
            let longest = seconds(self.get("flow_unfinished_max_s")?);
            parts.push(match n {
                1.0 => say!(
                    self.language,
                    "the bulk flow was not completed in the {longest} it had",
                    "批量流在其 {longest} 内没有完成"
                ),
                n => say!(
                    self.language,
                    "none of the {} bulk flows was completed, in up to {longest}",
                    "{} 条批量流没有一条完成，最长已进行 {longest}",
                    count(n)
                ),
            });
        }
        if let Some(n) = self
            .positive("blocked_by_window_end")
            .filter(|_| unfinished.is_some())
        {
            parts.push(say!(
                self.language,
                "at the end {} against a closed window: the receiving application did not read",
                "运行结束时{}面对关闭的窗口：接收应用没有读取",
                self.language
                    .counted(n, "sender stood", "senders stood", "个发送方")
            ));
        }
        if let Some(n) = self.positive("flows_small") {
            let fewest = count(self.get("flow_small_min_bytes")?);
            parts.push(match n {
                1.0 => say!(
                    self.language,
                    "1 flow had only {fewest} bytes acknowledged",
                    "1 条流只有 {fewest} 字节得到确认"
                ),
                n => say!(
                    self.language,
                    "{} flows had fewer than 50,000 bytes acknowledged, one of them {fewest}",
                    "{} 条流得到确认的不足 50,000 字节，其中一条为 {fewest}",
                    count(n)
                ),
            });
        }
        (!parts.is_empty()).then(|| {
            say!(
                self.language,
                "{}.",
                "{}。",
                self.language
                    .sentence(&parts.join(self.language.pick("; ", "；")))
            )
        })
    }

    /// Bulk flows that broke off.
    pub(super) fn broken_flows(&self) -> Option<String> {
        let broken = self.positive("flows_broken")?;
        let all = broken + self.get("flows_completed")? + self.get("flows_unfinished")?;
        let of = self
            .language
            .counted(all, "bulk flow", "bulk flows", "条批量流");
        Some(say!(
            self.language,
            "{} of {of} broke off before all bytes had been acknowledged.",
            "{of}中有 {} 条在全部字节得到确认之前中断。",
            count(broken)
        ))
    }

    /// How long bulk flows took.
    pub(super) fn completed_flows(&self) -> Option<String> {
        let n = self.positive("flows_completed")?;
        let mean = seconds(self.get("flow_completion_mean_s")?);
        let longest = seconds(self.get("flow_completion_max_s")?);
        let under_way = self
            .positive("flows_unfinished")
            .map_or(String::new(), |n| {
                say!(
                    self.language,
                    "; {} more were in progress at the end",
                    "；运行结束时另有 {} 条正在进行",
                    count(n)
                )
            });
        Some(match n {
            1.0 => say!(
                self.language,
                "The bulk flow was completed after {mean}{under_way}.",
                "批量流在 {mean} 后完成{under_way}。"
            ),
            n if mean == longest => {
                say!(
                    self.language,
                    "{} bulk flows were completed, after {mean} each{under_way}.",
                    "{} 条批量流完成，各用 {mean}{under_way}。",
                    count(n)
                )
            }
            n => say!(
                self.language,
                "{} bulk flows were completed, after {mean} on average and {longest} at most\
                 {under_way}.",
                "{} 条批量流完成，平均用 {mean}，最长 {longest}{under_way}。",
                count(n)
            ),
        })
    }
}
