"""Networks: what is kept of an address."""

from ipaddress import ip_address, ip_network


def network_of(address: str) -> str:
    """Return the network of an address: /24, or /48 in IPv6.

    >>> network_of("203.0.113.77"), network_of("2001:db8:1:2::3"), network_of("testclient")
    ('203.0.113.0/24', '2001:db8:1::/48', '')
    """
    try:
        version = ip_address(address).version
    except ValueError:
        return ""
    return str(ip_network(f"{address}/{24 if version == 4 else 48}", strict=False))
