# ruff: noqa: E501
"""Public files: where each comes from and its sha256.

`OPEN_DATA` is what `experiments/open-data.toml` reads, `BENCHMARKS` what `cqia evaluate` asks.

A repository's licence covers what its authors made; it doesn't clear third-party text inside. So
the files are fetched from their homes and never shipped. One row a file, however long the line:
that is how the table is read and compared. docs/open-data.md shows the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Form = Literal["file", "lines", "pages"]
"""How a repository holds what we want. file: as single files. lines: as a JSON file an item, which
become one JSON Lines file. pages: as HTML files under other names, found by their sha256."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """One file: a row of the table."""

    sha256: str
    """Empty: not known; the first download is recorded beside the file and holds from then on."""
    records: int
    """Items in the file as it stands: lines, list entries, questions or pages; 0: not counted."""
    name: str
    """Path below the collection's folder."""
    path: str = ""
    """Path in the repository, where it isn't the collection's `at` and the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """The files that come from one repository into one folder."""

    folder: str
    repository: str
    """Owner and name on GitHub."""
    licence: str
    """What the repository says of itself."""
    use: str
    """Where the experiment uses it."""
    form: Form = "file"
    at: str = ""
    """Folder in the repository, with its slash."""
    revision: str = "HEAD"
    """Commit, tag or branch; the sha256 decides in any case."""
    home: str = ""
    """Address of the files' folder, with its slash, where that isn't the repository."""
    files: tuple[OpenFile, ...]

    def path(self, file: OpenFile) -> str:
        """The file's path in the repository."""
        return file.path or self.at + file.name

    @property
    def address(self) -> str:
        """Where a person finds the files."""
        return self.home or f"https://github.com/{self.repository}"

    def place(self, file: OpenFile) -> str:
        """The file's path below the data folder."""
        return f"{self.folder}/{file.name}"


# fmt: off
OPEN_DATA = (
    Collection(
        folder="ruozhiba_qa",
        repository="hzwer/LLM-Ruozhiba-QA",
        licence="MIT",
        use="source `ruozhiba_qa`",
        form="lines",
        files=(
            OpenFile("3ff230857955ea2f34de968d287f2b487fba669de28258ba140c2b975b2ee21c", 1465, "questions.jsonl", "questions/*.json"),
        ),
    ),
    Collection(
        folder="better_ruozhiba",
        repository="FunnySaltyFish/Better-Ruozhiba",
        licence="Apache-2.0",
        use="source `better_ruozhiba`",
        files=(
            OpenFile("670b84c6b4d8c3d813e85bf57348e51b921e6e21d065cca6e21e29e3e8be4af7", 1475, "ruozhiba_qa.json"),
        ),
    ),
    Collection(
        folder="gaokao_bench",
        repository="OpenLMLab/GAOKAO-Bench",
        licence="Apache-2.0",
        use="source `gaokao_bench`",
        at="Data/",
        files=(
            OpenFile("126fb62dd4123c53fadbfcd950498c5710f1f21ea1d8f5b16c1d0c59efea4225", 105, "Objective_Questions/2010-2013_English_MCQs.json"),
            OpenFile("acdef3dd5b47ab76d27032b5be60bbf0dc7bb6080b34f46a2eff76c226e4974a", 150, "Objective_Questions/2010-2022_Biology_MCQs.json"),
            OpenFile("c14257debeedb4f11122a17d2f92ce8d7cc1713041f5b038f58f4c85739be35e", 124, "Objective_Questions/2010-2022_Chemistry_MCQs.json"),
            OpenFile("83bf5c5ea189948e61797d4b4fb9b3be08713467cfbe2d10e78251e82066f278", 56, "Objective_Questions/2010-2022_Chinese_Lang_and_Usage_MCQs.json"),
            OpenFile("a0255a8ee6b0c6099ae78cb1c12a0888b41685b875add032a2fa8ba7446e5459", 29, "Objective_Questions/2010-2022_Chinese_Modern_Lit.json"),
            OpenFile("60014396003ed5407566e00d745d4dce1016d366c8839febdb3d631ff05d4b1f", 30, "Objective_Questions/2010-2022_English_Fill_in_Blanks.json"),
            OpenFile("edb64a92871a97c06fc03d68ff818b3020e09a9ae9dd546a74262dbf02f74fc0", 124, "Objective_Questions/2010-2022_English_Reading_Comp.json"),
            OpenFile("cd69dc502f5e0c96b94d5d67b5f8a2811a799a18b0ba3fd16da6a15e964b7d03", 34, "Objective_Questions/2010-2022_Geography_MCQs.json"),
            OpenFile("c662fa9bea0663e346b1107134fd708a7b4353e60925185b9a0d6fe41e8a4f14", 287, "Objective_Questions/2010-2022_History_MCQs.json"),
            OpenFile("5f977c8aefbd54d7de6f630cb7cb4a85ac5391fd96753fb6689aa052819e1df7", 218, "Objective_Questions/2010-2022_Math_II_MCQs.json"),
            OpenFile("e1d80fb7e6f1b614edeadf6c9007c3ea0e47540b9c6b41ac68bb414ea39fed4c", 214, "Objective_Questions/2010-2022_Math_I_MCQs.json"),
            OpenFile("bb0287539421c3d9317f5be3afe7ca0a752da15605f20bf1b4cfc002029532aa", 64, "Objective_Questions/2010-2022_Physics_MCQs.json"),
            OpenFile("aab7ab67f5bd94a796a8d80c0e3f994fce2a6bfe8893d07835fa9ef34ede32bd", 320, "Objective_Questions/2010-2022_Political_Science_MCQs.json"),
            OpenFile("cd54d889b80bb586e739be352795d49bc28f0cac86185839494553421b5b2660", 26, "Objective_Questions/2012-2022_English_Cloze_Test.json"),
            OpenFile("9bbf621c7faa170d1c34f53f255ca24f6e0b422ead2ba85dba940662079829fd", 116, "Subjective_Questions/2010-2022_Biology_Open-ended_Questions.json"),
            OpenFile("168bce50a982c9c4f6008cdf5659981d5d57e77e220b2c745564ec1176bfb162", 9, "Subjective_Questions/2010-2022_Chemistry_Open-ended_Questions.json"),
            OpenFile("464597e64b50ce80778e556e811007ae651ab0c6e2e4933811fcc95eb1b22cc1", 29, "Subjective_Questions/2010-2022_Chinese_Language_Ancient_Poetry_Reading.json"),
            OpenFile("d063a1bc41c0d5c2d0434839750bb3dc78727c6875b96d40d58b8ae495ed0a78", 29, "Subjective_Questions/2010-2022_Chinese_Language_Classical_Chinese_Reading.json"),
            OpenFile("4ee05015e3fd18eea5f0b9d0b67d1dcdfa7f123c94cc064749d48007bacdf009", 28, "Subjective_Questions/2010-2022_Chinese_Language_Famous_Passages_and_Sentences_Dictation.json"),
            OpenFile("563e08176afda11b5639802278a952fbb6db844ba9be3d5d0bc65d778c116d49", 42, "Subjective_Questions/2010-2022_Chinese_Language_Language_and_Writing_Skills_Open-ended_Questions.json"),
            OpenFile("56271754e7f694854370e3670287f4e0084455fe13bb45dab1514d0a55496f7b", 29, "Subjective_Questions/2010-2022_Chinese_Language_Literary_Text_Reading.json"),
            OpenFile("885d2bc79d1b90269103d797970e95fcaa013fbf4a59f8d768697ceb53e9f1e3", 24, "Subjective_Questions/2010-2022_Chinese_Language_Practical_Text_Reading.json"),
            OpenFile("18056ef5a8b3b45fdfcf70974ff7df30b09f65af2d42d1cbe9ab5f4de361f879", 28, "Subjective_Questions/2010-2022_Geography_Open-ended_Questions.json"),
            OpenFile("1628534d81bf22f99fe8d58e0578cf604edc404663d5168cd0b0f2194beb6dbb", 128, "Subjective_Questions/2010-2022_History_Open-ended_Questions.json"),
            OpenFile("797ccc7635a6c1fb7c3ecdb7497a9cd525affd5d2f449a20c2c921b105e20d3a", 86, "Subjective_Questions/2010-2022_Math_II_Fill-in-the-Blank.json"),
            OpenFile("d0dadc40e289ee989194c2ab474e2d30537eb54a6f36d457d75fd04e9618152d", 122, "Subjective_Questions/2010-2022_Math_II_Open-ended_Questions.json"),
            OpenFile("f7ab2860a0dcf877bc6572f51c800cd51dc5d1b3e7829ede6be68b43e885a0e9", 81, "Subjective_Questions/2010-2022_Math_I_Fill-in-the-Blank.json"),
            OpenFile("7a093e56bc3bebdb24e774a250d109be6b1ef62540105c73bbfcc6d8e23306bc", 123, "Subjective_Questions/2010-2022_Math_I_Open-ended_Questions.json"),
            OpenFile("8d48d4348bad353f62bf3d832a0cbdf43723de054e1dbb923df9e51d6b1f1bed", 47, "Subjective_Questions/2010-2022_Physics_Open-ended_Questions.json"),
            OpenFile("66afd6e2257f9b9d1d079cd3481fb90c75eb12826c43e10a66bf84fe6e8ff327", 60, "Subjective_Questions/2010-2022_Political_Science_Open-ended_Questions.json"),
            OpenFile("cc3385f63365b2192e85c92654f78ed0110f97c50b2361b108f645050a9587f9", 26, "Subjective_Questions/2012-2022_English_Language_Error_Correction.json"),
            OpenFile("bc190d15f3d37f904a781c08ef4e174d5afcaff337447e070175d8dfdffa2384", 23, "Subjective_Questions/2014-2022_English_Language_Cloze_Passage.json"),
        ),
    ),
    Collection(
        folder="chinese_poetry",
        repository="chinese-poetry/chinese-poetry",
        licence="MIT",
        use="source `chinese_poetry`",
        files=(
            OpenFile("bc336a3839706377892719db44c48a09794a493190535a42bf1c7d4c4233e96c", 20, "lunyu.json", "论语/lunyu.json"),
            OpenFile("4f88f429938082523cdc72a1612bd7a7c3e3f7a33f8192c61ae51340efc3c92d", 1000, "poet.tang.0.json", "全唐诗/poet.tang.0.json"),
            OpenFile("3c7ca54d59424542ada99adfcc85420287fbbd5c8a511e9baf705cb2b04051e7", 305, "shijing.json", "诗经/shijing.json"),
            OpenFile("d77a145f7470da2ed2f79515944563c062ffc43fceda07f195a36ead66b7e5c7", 366, "唐诗三百首.json", "全唐诗/唐诗三百首.json"),
            OpenFile("ca5d74f7fdb9d5a6acc22a7c8b4395228cad4bb8be53df44c19ba83ab6983b20", 280, "宋词三百首.json", "宋词/宋词三百首.json"),
        ),
    ),
    Collection(
        folder="medical_sft",
        repository="shibing624/MedicalGPT",
        licence="Apache-2.0",
        use="source `medical`",
        at="data/",
        files=(
            OpenFile("b51b1cf9788dd39c79b440511d5a17a47bf21df9b4cb66d2fb54a10684065aec", 1000, "medical_sft_1K_format.jsonl"),
        ),
    ),
    Collection(
        folder="finance_sft",
        repository="FudanDISC/DISC-FinLLM",
        licence="Apache-2.0",
        use="source `finance`",
        at="data/",
        files=(
            OpenFile("1a67f578d8d0043ff41f9d3ffe22eee01ee4665b698148173241ab84652e9784", 100, "computing_part.json"),
            OpenFile("79264f9701de5a295f3842ac1f6fa8765b77aaa7d038e7a683165b19a2e563de", 100, "consulting_part.json"),
            OpenFile("57fa64ea5ee067f175c91a5284782a6f1efe287276b2a6c3b84c3fa000e6f12c", 100, "retrieval_part.json"),
            OpenFile("7c436852eb0278bfdb26367d788c12f9e333f6c7a1ad21807ec8a9977a49e5f1", 100, "task_part.json"),
        ),
    ),
    Collection(
        folder="alpaca_zh",
        repository="hiyouga/LLaMA-Factory",
        licence="Apache-2.0",
        use="source `alpaca_zh`",
        at="data/",
        files=(
            OpenFile("d5a4be46ae70d23a461ffc16048069324c0865ee9aa0c8730e21ac4b65ea0f08", 1000, "alpaca_zh_demo.json"),
        ),
    ),
    Collection(
        folder="html_pages",
        repository="GeneralNewsExtractor/GeneralNewsExtractor",
        licence="MIT",
        use="source `html_pages`",
        form="pages",
        files=(
            OpenFile("354ac97b4e5f1fcaa40a06561372b14eb301491d757118d98e73e39c133fc53d", 1, "baijiahao_1.html", "tests/baijiahao/1.html"),
            OpenFile("57a50299f48762817ad777d5f4f5e87e1dcd4b66770458e4102339af4e48bc30", 1, "csdn_1.html", "tests/csdn/1.html"),
            OpenFile("cae83cf51a1e432b2836f2a1a98fd636b08ef883afb2c312efcc447808a16446", 1, "ednchina_1.html", "tests/ednchina/1.html"),
            OpenFile("86a8b5e6cae671bb29641bac7c92ea194ddcd238d9f0ef4e7bc41b2c6a12829c", 1, "gsc_1.html", "tests/gsc/1.html"),
            OpenFile("3b2bf7c32a648b60f3840e54831a4635c71dd9c08ff6782d440ac8dbc4f0b4d8", 1, "hexun_1.html", "tests/hexun/1.html"),
            OpenFile("3849b17a23c0420409336be1de98d9ea009a7f942928cca48d1dcc2b2ebd3bb6", 1, "people_1.html", "tests/people/1.html"),
            OpenFile("df6eec275e3eb829cdb76af1648f105e6f07e4590c7163142974a446a08cde0e", 1, "qq_2.html", "tests/qq/2.html"),
            OpenFile("f4c72e0651255d7a3589df3157c39304c756539a7093984d04bb792c2a6405a7", 1, "stcn_1.html", "tests/stcn/1.html"),
            OpenFile("42f17cb25460b652f793f76b1f6e2634a4d6d2a3b644dd54545867cb8cf95f98", 1, "sxmu_1.html", "tests/sxmu/1.html"),
            OpenFile("286938705262c57ef0e429b93010790d00089ede0082cb1ee838354b1ed4344e", 1, "thepaper_2.html", "tests/thepaper/2.html"),
            OpenFile("889db947134bb68de08743b5060736e03cc442be3adc7bc25d9c3fe2b6ffe0c4", 1, "tieba_1.html", "test_list_page/tieba/1.html"),
            OpenFile("1220c85df7c6ee14a0cbdc7c529abb31feb37c4661bd9aff0a0921f6da0454fb", 1, "xinhuanet_1.html", "tests/xinhuanet/1.html"),
            OpenFile("71b66ff107c54d2aea2a79e97e8fc7057251e2947cdf8575a12796ec55396bd0", 1, "zyyfy_1.html", "tests/zyyfy/1.html"),
        ),
    ),
    Collection(
        folder="agieval_zh",
        repository="ruixiangcui/AGIEval",
        licence="MIT",
        use="contamination check `agieval-gaokao`",
        at="data/v1/",
        files=(
            OpenFile("198fd16479ae8640403d6332e986370a66df91c6bdafbc5edc6d6348664af25c", 210, "gaokao-biology.jsonl"),
            OpenFile("5b81e042c69bf923caa50b7466b06937639b957f37643318de98060efacb397d", 207, "gaokao-chemistry.jsonl"),
            OpenFile("1ddcf8fa15e07a25589796dc1c72a341c2d874af8de41970262d66693f95285f", 246, "gaokao-chinese.jsonl"),
            OpenFile("2de1b1e5d9718d908ffb46665e949bff83bef956ad8b7de16ea412e058162b01", 306, "gaokao-english.jsonl"),
            OpenFile("1170cb39171d6dfc35bd52a52505e5a120cf400abc697f282d0739db6181713b", 199, "gaokao-geography.jsonl"),
            OpenFile("27350771d399814fc69dd6d7e6ce115b7913ae208e04e385a7e6fcdf51a6b8b7", 235, "gaokao-history.jsonl"),
            OpenFile("088675c147794970a3ed25c7147a3bbc59715d6813837d5f483f46dcb1b5008d", 118, "gaokao-mathcloze.jsonl"),
            OpenFile("d246f12752d121289ef55cbf1bcf954243cefb65d110f71d09358e24065c808f", 351, "gaokao-mathqa.jsonl"),
            OpenFile("a8cbc26d9edce4a280c5ffd9d026c5a6ca1eb6a9d801f04283861e69b3318fd5", 200, "gaokao-physics.jsonl"),
            OpenFile("bae5d51cd3510995d417819e75c89245988dbabeeb3830aa23f6309142f2ffae", 651, "logiqa-zh.jsonl"),
        ),
    ),
)

_HUB = "https://huggingface.co/datasets/"

BENCHMARKS: dict[str, tuple[Collection, ...]] = {
    "safetybench": (
        Collection(
            folder="safetybench",
            repository="thu-coai/SafetyBench",
            licence="MIT",
            use="benchmark `safetybench`",
            at="opensource_data/",
            files=(
                OpenFile("8760b0621df0fa81b99f7e49961853f1ff8b5ac0e4f1f96dad20a587c33aea4f", 2100, "test_zh_subset.json"),
                OpenFile("41c3e40330a7a96375de54b46df4839f6a46e8c9f6be974a2d31b35b8012af6c", 2100, "test_answers_zh_subset.json"),
            ),
        ),
        Collection(
            folder="safetybench",
            repository="thu-coai/SafetyBench",
            licence="MIT",
            use="five shots of `safetybench`",
            home=_HUB + "thu-coai/SafetyBench/resolve/main/",
            files=(OpenFile("", 0, "dev_zh.json"),),
        ),
    ),
    "belle-eval": (
        Collection(
            folder="belle_eval",
            repository="LianjiaTech/BELLE",
            licence="Apache-2.0, data ODC-By",
            use="benchmark `belle-eval`",
            at="eval/",
            files=(
                OpenFile("a6a13d9968571e381bbe4b67b173134e99f402e6379e416bd9b089f148cd4671", 1000, "eval_set.json"),
                OpenFile("6032824adcd7e2bdff62071fc3a1d376bf8b72513560bc2f5bcc885ba55ca372", 11, "eval_prompt.json"),
            ),
        ),
    ),
    "ceval": (
        Collection(
            folder="ceval",
            repository="hkust-nlp/ceval",
            licence="CC BY-NC-SA 4.0",
            use="benchmark `ceval`",
            home=_HUB + "ceval/ceval-exam/resolve/main/",
            files=(OpenFile("", 0, "ceval-exam.zip"),),
        ),
    ),
    "cmmlu": (
        Collection(
            folder="cmmlu",
            repository="haonan-li/CMMLU",
            licence="CC BY-NC-SA 4.0",
            use="benchmark `cmmlu`",
            home=_HUB + "haonan-li/cmmlu/resolve/main/",
            files=(OpenFile("", 0, "cmmlu_v1_0_1.zip"),),
        ),
    ),
    "agieval-zh": tuple(one for one in OPEN_DATA if one.folder == "agieval_zh"),
}
"""Name of a benchmark -> its files."""
