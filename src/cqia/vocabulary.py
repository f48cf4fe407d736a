"""The words a record's task may be labelled with.

They are the labels observed in the released files of COIG-CQIA, so that a dataset made here can be
laid beside the release and counted by the same names. A source labels its records with these words
only.
"""

from __future__ import annotations

MAJOR = (
    "问答",
    "试题",
    "文本生成",
    "豆瓣",
    "信息抽取",
    "知识问答",
    "分类",
    "意图检测",
    "语义分析",
    "自然语言推理",
    "摘要",
    "文本风格迁移",
)
"""The broad tasks: `task_type.major` in the release."""

MINOR = (
    "知乎问答",
    "代码问答",
    "百科问答",
    "医药问答",
    "知识问答",
    "问答",
    "逻辑推理",
    "逻辑问答",
    "隐喻理解",
    "小红书风格文本",
    "故事概要",
    "影评",
    "剧评",
    "书评",
    "图书介绍",
    "作者介绍",
    "电影推荐",
    "电视剧推荐",
    "电影",
    "电视剧",
    "动画电影",
    "动画电视剧",
    "纪录片",
    "书",
    "成语释义",
    "古诗续写",
    "文言文翻译",
    "选择题",
    "单项选择题",
    "多项选择题",
    "简答题",
    "论述题",
    "法条分析题",
    "分析题",
    "开放题",
    "填空题",
    "中学考试",
    "考研",
    "法律考研",
    "实体抽取",
    "信息抽取",
    "信息检索",
    "论元抽取",
    "论元角色分类",
    "事件类型分类",
    "分类",
    "意图检测",
    "语义分析",
    "语义相关性",
    "摘要",
    "标题生成",
    "词分割",
    "合同",
)
"""The narrow tasks: `task_type.minor` in the release."""
