"""Whether a server can be reached, asked once: libraries ask again for half a minute before they say that there is no network."""

import socket
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

PATIENCE = 10.0  # seconds; a network that is slower is left to the patience of the library


def unreachable(address: str) -> bool:
    """Whether a connection to a server fails at once, because there is no network, no such host, or nothing that listens.

    Behind a proxy, and where no answer comes in time, this is unknown, and the answer False.

    Args:
        address: of the server, such as `https://huggingface.co`.
    """
    url, proxies = urlsplit(address), getproxies()
    host = url.hostname or ""
    if (url.scheme in proxies or "all" in proxies) and not proxy_bypass(host):
        return False
    try:
        socket.create_connection((host, url.port or (80 if url.scheme == "http" else 443)), PATIENCE).close()
    except TimeoutError:
        return False
    except OSError:
        return True
    return False
