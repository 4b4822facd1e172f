//! The fixed texts of pages in Chinese: headings, and how to read figures.

/// A fixed text and its translation.
const TEXTS: [(&str, &str); 30] = [
    ("Index of the runs (CSV)", "各次运行的索引（CSV）"),
    ("Index (Parquet)", "索引（Parquet）"),
    ("Scenario", "场景"),
    ("What if", "假如"),
    ("Results", "结果"),
    ("Unusual", "异常"),
    ("The search", "搜索过程"),
    ("Figures", "图"),
    ("Missing here", "此处缺少"),
    ("Runs", "各次运行"),
    ("Connections", "连接"),
    ("Parameters", "参数"),
    ("Parameters of all runs", "所有运行的共同参数"),
    ("Totals", "总计"),
    ("Links", "链路"),
    ("To reproduce", "如何重现"),
    ("How to read it", "读图方法"),
    ("Not recorded", "未记录的内容"),
    ("Host counters", "主机计数器"),
    ("Means after the warm-up", "预热后的平均值"),
    ("Connections (Parquet)", "连接（Parquet）"),
    ("States (Parquet)", "状态（Parquet）"),
    ("Segments (Parquet)", "报文段（Parquet）"),
    (
        "Capture (pcapng, for Wireshark)",
        "抓包（pcapng，供 Wireshark）",
    ),
    ("Scenario of this run", "本次运行的场景"),
    ("What is compared", "比较对象"),
    ("Parameters that differ", "不同的参数"),
    ("Numbers that differ", "不同的指标"),
    ("None.", "无。"),
    (WHAT_IF, WHAT_IF_ZH),
];

/// The introduction of the variants of a lesson.
pub(super) const WHAT_IF: &str = "Each variant has been run. Step through its ladder, or read below it what each segment \
     does; the quiz asks what comes next before it shows it.";
const WHAT_IF_ZH: &str = "每个变体都已运行。可逐段演示它的时序图，或在图下阅读每个报文段的作用；测验会先问下一步，再显示答案。";

/// The Chinese of a fixed text; `None` for other texts.
pub(super) fn translated(text: &str) -> Option<&'static str> {
    let found = TEXTS.iter().find(|(english, _)| *english == text);
    found.map(|(_, chinese)| *chinese)
}

/// How to read a chart, a ladder, and a timeline.
pub(super) const CHART: &str = "每条曲线或色带的名称在旁边，坐标轴标有物理量和单位。带竖线的点是平均值及其 95 % 置信区间；虚线是理论值或上限。\
     脚本可用时：拖动放大（所有以时间为横轴的图一起缩放），双击还原，指向曲线读数，点击名称隐藏曲线。按键：← → 平移，+ − 缩放，0 还原。";
pub(super) const LADDER: &str = "每条竖线是连接的一端。斜箭头是一个报文段：箭尾为发出，箭头为到达，到达较晚，所以更靠下。叉号表示丢失并注明原因；\
     橙色箭头是重传。竖线旁的色带是该端的状态。";
pub(super) const TIMELINE: &str =
    "时间向右。每条色带是连接的一端，颜色表示状态；图例说明颜色，各图相同。";
