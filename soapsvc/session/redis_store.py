"""Sessions in Redis, for servers on several machines. Needs `pip install 'soapsvc[redis]'` and Redis 5 or newer.

Each operation is one script, which Redis runs without any other in between; times are those of Redis's clock, so that
those of the machines need not agree. Queues, signs of life and the fence are as in `sqlite_store`. Keys begin with
`soapsvc:`; nothing else may be written there. One Redis, or one with replicas: no cluster, for scripts name keys that
they find.
"""

from __future__ import annotations

import secrets
import threading
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from soapsvc.errors import Overloaded, Unavailable
from soapsvc.session import AWAY, FULL, LEASE_S, LOST, MOST_CALLS, RETRY_S, SWEPT, Kept, Limits

_TIMEOUT_S = 2.0  # to connect, and for an answer
_NO_ROOM, _GONE = -1, -2  # what scripts answer

_COMMON = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local function calls_of(key) return 'soapsvc:calls:' .. key end
local function alive(call) return redis.call('EXISTS', 'soapsvc:alive:' .. string.match(call, '^[^/]*')) == 1 end
local function trim(key)
  local first = redis.call('LINDEX', calls_of(key), 0)
  while first and not alive(first) do
    redis.call('LPOP', calls_of(key))
    first = redis.call('LINDEX', calls_of(key), 0)
  end
  return first
end
local function remove(key)
  redis.call('DECRBY', 'soapsvc:bytes', redis.call('HSTRLEN', 'soapsvc:contents', key))
  redis.call('HDEL', 'soapsvc:contents', key)
  redis.call('ZREM', 'soapsvc:used', key)
end
local function oldest_idle()
  local start = 0
  while true do
    local keys = redis.call('ZRANGE', 'soapsvc:used', start, start + 99)
    for _, key in ipairs(keys) do if not trim(key) then return key end end
    if #keys < 100 then return nil end
    start = start + 100
  end
end
local function add(key, content, most, bytes)  -- how many had to go for it, false where there is no room
  local evicted = 0
  while redis.call('ZCARD', 'soapsvc:used') >= most
      or tonumber(redis.call('GET', 'soapsvc:bytes') or 0) + #content > bytes do
    local oldest = oldest_idle()
    if not oldest then return false end
    remove(oldest)
    evicted = evicted + 1
  end
  redis.call('HSET', 'soapsvc:contents', key, content)
  redis.call('ZADD', 'soapsvc:used', now, key)
  redis.call('INCRBY', 'soapsvc:bytes', #content)
  return evicted
end
"""
_ENTER = """
local used = redis.call('ZSCORE', 'soapsvc:used', KEYS[1])
if not used or tonumber(used) <= now - tonumber(ARGV[2]) and not trim(KEYS[1]) then return -2 end
if redis.call('LLEN', calls_of(KEYS[1])) >= tonumber(ARGV[3]) then return -1 end
redis.call('RPUSH', calls_of(KEYS[1]), ARGV[1])
return 0
"""
_IS_FIRST = """
local first = trim(KEYS[1])
if first == ARGV[1] then return 1 end
for _, call in ipairs(redis.call('LRANGE', calls_of(KEYS[1]), 0, -1)) do if call == ARGV[1] then return 0 end end
return -2
"""
_FINISH = """
local calls = redis.call('LRANGE', calls_of(KEYS[1]), 0, -1)
local found = false
for _, call in ipairs(calls) do found = found or call == ARGV[1] end
if not found then return -2 end
local old, used = redis.call('HGET', 'soapsvc:contents', KEYS[1]), redis.call('ZSCORE', 'soapsvc:used', KEYS[1])
if old then remove(KEYS[1]) end
local evicted = add(KEYS[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]))
if not evicted then
  if old then
    redis.call('HSET', 'soapsvc:contents', KEYS[1], old)
    redis.call('ZADD', 'soapsvc:used', used, KEYS[1])
    redis.call('INCRBY', 'soapsvc:bytes', #old)
  end
  return -1
end
redis.call('LREM', calls_of(KEYS[1]), 1, ARGV[1])
return evicted
"""
_CREATE = "return add(KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])) or -1"
_LEAVE = "return redis.call('LREM', calls_of(KEYS[1]), 1, ARGV[1])"
_BEAT = "redis.call('SET', 'soapsvc:alive:' .. KEYS[1], 1, 'PX', ARGV[1])"
_KEPT = "return {redis.call('ZCARD', 'soapsvc:used'), tonumber(redis.call('GET', 'soapsvc:bytes') or 0)}"
_SWEEP = """
local gone = 0
local expired = redis.call('ZRANGEBYSCORE', 'soapsvc:used', '-inf', now - tonumber(ARGV[1]), 'LIMIT', 0, ARGV[2])
for _, key in ipairs(expired) do
  if not trim(key) then
    remove(key)
    gone = gone + 1
  end
end
return gone
"""


class RedisStore:
    """A `Store` in one Redis. Safe to use from many threads and processes. A Redis that is away may come back."""

    def __init__(self, url: str, limits: Limits) -> None:
        """url: as redis://[:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS. Raises ValueError at another."""
        self._limits, self._name = limits, secrets.token_hex(8)
        self._counting = threading.Lock()  # guards the two counts
        self.evicted = self.expired = 0
        self._redis = redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, retry=Retry(NoBackoff(), 1)
        )
        self._scripts = {
            body: self._redis.register_script(_COMMON + body)
            for body in (_ENTER, _IS_FIRST, _FINISH, _CREATE, _LEAVE, _BEAT, _SWEEP, _KEPT)
        }

    def enter(self, key: bytes) -> str | None:
        """See `Store`."""
        self._alive()
        call = f"{self._name}/{secrets.token_hex(8)}"
        answer = self._run(_ENTER, key.hex(), call, self._limits.time_to_live_s, MOST_CALLS)
        if answer == _NO_ROOM:
            raise Overloaded(f"{MOST_CALLS} calls are on this session", RETRY_S)
        return None if answer == _GONE else call

    def is_first(self, key: bytes, call: str) -> bool:
        """See `Store`."""
        answer = self._run(_IS_FIRST, key.hex(), call)
        if answer == _GONE:
            raise Unavailable(LOST, RETRY_S)
        return bool(answer)

    def content(self, key: bytes) -> bytes | None:
        """See `Store`."""
        try:
            found: Any = self._redis.hget("soapsvc:contents", key.hex())
        except RedisError as err:
            raise Unavailable(AWAY, RETRY_S) from err
        return None if found is None else bytes(found)

    def finish(self, key: bytes, call: str, content: bytes) -> bool:
        """See `Store`."""
        answer = self._run(_FINISH, key.hex(), call, content, self._limits.max_sessions, self._limits.max_bytes)
        self._check_room(answer)
        return bool(answer != _GONE)

    def leave(self, key: bytes, call: str) -> None:
        """See `Store`."""
        self._run(_LEAVE, key.hex(), call)

    def create(self, key: bytes, content: bytes) -> None:
        """See `Store`."""
        self._check_room(self._run(_CREATE, key.hex(), content, self._limits.max_sessions, self._limits.max_bytes))

    def beat(self) -> None:
        """See `Store`."""
        self._alive()
        gone = SWEPT
        while gone == SWEPT:
            gone = self._run(_SWEEP, "", self._limits.time_to_live_s, SWEPT)
            self._count(expired=gone)

    def kept(self) -> Kept:
        """See `Store`."""
        return Kept(*self._run(_KEPT, ""))

    def close(self) -> None:
        """See `Store`."""
        self._redis.close()

    def _alive(self) -> None:
        self._run(_BEAT, self._name, int(LEASE_S * 1000))

    def _run(self, script: str, key: str, *arguments: Any) -> Any:
        try:
            return self._scripts[script](keys=[key], args=arguments)
        except RedisError as err:
            raise Unavailable(AWAY, RETRY_S) from err

    def _check_room(self, answer: Any) -> None:
        """Count the sessions that went for one that was kept. Raises Overloaded where none could go."""
        if answer == _NO_ROOM:
            raise Overloaded(FULL, RETRY_S)
        self._count(evicted=max(0, answer))

    def _count(self, evicted: int = 0, expired: int = 0) -> None:
        with self._counting:
            self.evicted += evicted
            self.expired += expired
