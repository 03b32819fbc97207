select webhooks_waiting, webhooks_oldest_seconds, webhooks_rejected, sends_waiting, sends_oldest_seconds, sends_uncertain
from worker.queue_figures()
