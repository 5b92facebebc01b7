"""For those who run it: health, requests by mail, alarms, and the end of the service."""
