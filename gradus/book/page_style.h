// What a chapter's page adds to the look of report.html.
#pragma once

namespace gradus::book {

inline constexpr const char* page_style = R"css(
:root{--s2:#2c8c5e;--s3:#8a4fa3}@media (prefers-color-scheme:dark){:root{--s2:#63c695;--s3:#c79be0}}
.line.s2{stroke:var(--s2)}.line.s3{stroke:var(--s3)}.dot.s2{fill:var(--s2)}.dot.s3{fill:var(--s3)}
.chapter{max-width:780px;font-size:16.5px;line-height:1.62}
.chapter h1{font-size:32px;margin:0 0 14px}.chapter h2{font-size:21px;margin:44px 0 10px}.chapter h3{font-size:17px;margin:28px 0 6px}
.chapter p{margin:0 0 14px}.chapter li{margin:0 0 6px}
.chapter pre{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 15px;overflow-x:auto;white-space:pre;margin:0 0 16px}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}a{color:var(--s0)}
figure.plot{padding:14px 15px 0;margin:22px 0}figure.plot figcaption{font-size:14px;padding:8px 2px 13px;color:var(--soft)}
details{margin-top:8px}summary{cursor:pointer}details .scroll{max-height:300px;overflow:auto;margin-top:8px}
.claim{border-left:4px solid var(--s0);background:var(--card);border-radius:0 10px 10px 0;padding:12px 16px 1px;margin:0 0 18px;box-shadow:inset 0 0 0 1px var(--line)}
.claim p{margin:0 0 9px}.claim .soft{font-size:14px}
.verdict{display:inline-block;border-radius:99px;padding:1px 10px;font-size:13px;color:#fff;background:#8a6d1d}
.verdict.holds{background:#1f7a4d}.verdict.refuted{background:#b3372f}
footer{margin-top:50px;border-top:1px solid var(--line);padding-top:12px;font-size:13px}
@media print{details{display:none}.claim,figure.plot{break-inside:avoid}}
)css";

}  // namespace gradus::book
