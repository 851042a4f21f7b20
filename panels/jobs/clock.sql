-- The server's clock: ages and windows are measured by it, never by ours.
-- Cost: nothing. Needs: nothing.
SELECT date_part('epoch', now()) AS now
