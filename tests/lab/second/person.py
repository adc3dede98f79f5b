"""The person at the browser: opens the authorization page, reads its form, allows, and prints where that led.

    python person.py AUTHORIZATION_URL
"""

import sys
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, build_opener


class Form(HTMLParser):
    """The hidden fields of the page's only form."""

    def __init__(self):
        super().__init__()
        self.fields = {}

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes["name"]] = attributes.get("value", "")


class Stay(HTTPRedirectHandler):
    """The callback is somebody else's to open."""

    def redirect_request(self, *arguments):
        return None


def main():
    browser = build_opener(HTTPCookieProcessor(CookieJar()), Stay())
    form = Form()
    form.feed(browser.open(sys.argv[1]).read().decode())
    form.fields["allow"] = "Authorize"
    try:
        browser.open(sys.argv[1], urlencode(form.fields).encode())
    except HTTPError as redirect:
        print(redirect.headers["Location"])


main()
