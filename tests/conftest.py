from tests.servers.postgres import postgres as postgres
