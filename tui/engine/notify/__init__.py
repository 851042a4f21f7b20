"""Who is told of what, and by which way: routed notifications.

    folds ─due.py─▶ what is to be told and was not ─notifier.py─▶ gathered, queued a channel, claimed, sent, told or untold
                        ▲                                                                          │
                     ledger.py: what was told, read from the journal ◀────────────────────────────┘

What is due follows from how things stand (which alerts fire, who acknowledged, what was told), never from a passing event: so a
crash between two steps, a channel's hours that begin later, or a silence that ends lose nothing. A channel is a file each.
"""
