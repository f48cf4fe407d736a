"""Collect: a site's public pages into an archive that the sources read.

    collect(Job(start=("https://example.org/list",), contact="me@example.org", follow="/item/"),
            Path("raw/pages.warc.gz"))

Run again with the same archive, it goes on where it was: what stands in the archive is not asked
for again. Nothing is collected unless this is called; the rest of the package never goes to a site.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from cqia import store
from cqia.collecting.archive import Archive, pages
from cqia.collecting.job import Job
from cqia.collecting.robots import robots
from cqia.errors import UserError, missing_extra


def collect(job: Job, path: Path) -> dict[str, Any]:
    """Collect pages into an archive.

    Args:
        job: what, and how politely.
        path: the archive, `….warc.gz`; beside it `….faults.jsonl` names what brought no page.

    Returns:
        `taken`: addresses taken up in this run; `outcomes`: how they ended, which adds up to
        `taken`; `held`: responses that the archive held before.

    Raises:
        UserError: the extra `collect` is missing, the archive is broken or in use, or every site
            forbids it.
    """
    try:
        import scrapy  # noqa: F401
        from scrapy.crawler import CrawlerProcess

        from cqia.collecting.spider import Collector, site
    except ImportError:
        raise missing_extra("scrapy", "collect") from None
    sites = dict.fromkeys(map(site, job.start))
    rules = {one: robots(one, job.agent) for one in sites}
    if all(one.why for one in rules.values()):
        name, first = next(iter(rules.items()))
        raise UserError(first.why, where=name, mend="try again later, or leave the site alone")
    with store.lock(path.parent), Archive(path, job.agent) as archive:
        held = list(pages(path))
        logging.getLogger("scrapy").setLevel(logging.CRITICAL)
        process = CrawlerProcess(_settings(job))
        crawler = process.create_crawler(Collector)
        delays = [rule.delay(job.agent) for rule in rules.values()]
        crawler.settings.set("DOWNLOAD_DELAY", max([job.delay, *delays]), "cmdline")
        process.crawl(crawler, job=job, archive=archive, robots=rules, held=held)
        process.start()
        spider = crawler.spider
    if not isinstance(spider, Collector):
        raise RuntimeError("the spider did not start")
    return _report(spider, len(held), path)


def _report(spider: Any, held: int, path: Path) -> dict[str, Any]:  # noqa: ANN401
    taken = len(spider.taken) - len(spider.done)
    outcomes = dict(spider.outcomes.most_common())
    if left := taken - sum(outcomes.values()):
        outcomes["left: stopped"] = left
    lines = [store.json_line(fault) for fault in spider.faults]
    store.write_bytes(path.with_name(path.name.removesuffix(".warc.gz") + ".faults.jsonl"),
                      b"".join(lines))  # fmt: skip
    return {"taken": taken, "outcomes": outcomes, "held": held}


def _settings(job: Job) -> dict[str, Any]:
    here = "cqia.collecting.spider"
    return {
        "USER_AGENT": job.agent,
        "ROBOTSTXT_OBEY": False,  # the rules were asked for before, by RFC 9309
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "CONCURRENT_REQUESTS": 8,
        "DOWNLOAD_DELAY_JITTER": 0.0,  # never less than was promised
        "AUTOTHROTTLE_ENABLED": True,
        "AUTOTHROTTLE_START_DELAY": job.delay,
        "AUTOTHROTTLE_MAX_DELAY": 60.0,
        "DOWNLOAD_TIMEOUT": job.timeout,
        "DOWNLOAD_MAXSIZE": job.largest,
        "DOWNLOAD_WARNSIZE": 0,
        "RETRY_TIMES": job.retries,
        "RETRY_GIVE_UP_LOG_LEVEL": "DEBUG",
        "REDIRECT_ENABLED": False,
        "METAREFRESH_ENABLED": False,
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_ENABLED": False,
        "LOG_INSTALL_ROOT_HANDLER": False,
        "REFERER_ENABLED": False,
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,application/xhtml+xml,*/*;q=0.5",
            "Accept-Language": "zh-CN,zh;q=0.9",
            "Accept-Encoding": "gzip, deflate",
        },
        "DOWNLOADER_MIDDLEWARES": {
            "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
            f"{here}.Patience": 550,
            f"{here}.Raw": 600,
        },
    }
