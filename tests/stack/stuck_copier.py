"""A process that copies topic a to b, and sticks between what it appends and its commit."""

import sys
import time

import structlog
from log_contract import TOPICS

from clearhouse.log.kafka import transactions
from clearhouse.log.log import Message
from clearhouse.log.opening import LogPlace, open_log


class Stuck(transactions.Producer):
    def commit_transaction(self, timeout=-1):
        self.flush()
        print("appended", flush=True)
        time.sleep(600)


def main(url):
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    transactions.Producer = Stuck
    subscription = open_log(LogPlace(url), TOPICS).subscribe("c", "a")
    while not (records := subscription.read(20)):
        pass
    subscription.commit(records, [Message("b", r.key, r.value) for r in records])


if __name__ == "__main__":
    main(sys.argv[1])
