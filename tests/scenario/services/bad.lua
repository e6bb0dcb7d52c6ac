-- Does not start.
error("no such luck")
