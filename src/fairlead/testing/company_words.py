"""The words that the made-up company is put together from, and what some of them are worth there, in logits."""

from __future__ import annotations

FIRST = (
    "Ada", "Bruno", "Carla", "Dario", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Katya", "Liam", "Mira",
    "Nils", "Olga", "Pavel", "Quinn", "Rosa", "Stefan", "Tilda", "Umut", "Vera", "Wanda", "Yara", "Zeno",
)  # fmt: skip
LAST = (
    "Almgren", "Bertoni", "Castellan", "Dahlke", "Eriksen", "Fontaine", "Grabow", "Hollis", "Iversen", "Jansma",
    "Kestrel", "Lindqvist", "Marchetti", "Norden", "Okafor", "Pellegrin", "Quist", "Reinholt", "Sandoval", "Tamm",
    "Ulvang", "Varela", "Wexford", "Ystad", "Zoller",
)  # fmt: skip
COMPANY = (
    "Harbour", "Beacon", "Northwind", "Lattice", "Quarry", "Meridian", "Tidewater", "Foundry", "Orchard", "Keel",
    "Granite", "Lantern", "Saltmarsh", "Juniper", "Compass", "Hollow", "Ember", "Alder",
)  # fmt: skip
KIND = ("Logistics", "Systems", "Foods", "Energy", "Textiles", "Health", "Optics", "Labs", "Freight", "Works")
COUNTRY = {
    "Germany": ("+49 30 9018", 22), "Austria": ("+43 1 588", 6), "Switzerland": ("+41 44 668", 6),
    "Sweden": ("+46 8 123", 8), "Denmark": ("+45 32 12", 5), "United Kingdom": ("+44 20 7946 0", 16),
    "Ireland": ("+353 1 253", 4), "France": ("+33 1 70 18", 10), "Spain": ("+34 91 123", 8),
    "Italy": ("+39 06 698", 8), "United States": ("+1 202 555 01", 18), "Poland": ("+48 22 123", 5),
    "Iran": ("+98 21 1234", 0),
}  # fmt: skip
"""Beginning of a telephone number, and how many of a hundred or so accounts are there."""
EMBARGOED, EMBARGOED_EVERY = "Iran", 40
"""Where one account in so many is."""
DIGITS = {"United Kingdom": 3, "United States": 2}
"""How many digits follow where it is not four: these ranges are kept free for fiction."""
BRANCHES = {
    "Germany": "Deutschland", "Sweden": "Nordic", "United Kingdom": "UK", "France": "France", "Spain": "Iberia",
    "United States": "Americas", "Italy": "Italia",
}  # fmt: skip
TITLE = {
    "Head of Operations": 0.6, "Purchasing Manager": 0.5, "CEO": 0.8, "Team lead": 0.1, "Analyst": -0.4,
    "Director IT": 0.6, "Assistant": -0.9, "CFO": 0.7,
}  # fmt: skip
SOURCE = {
    "Webinar": 0.3, "Referral": 0.9, "Website": 0.0, "Trade fair": 0.1, "Partner": 0.6, "Newsletter": -0.3,
    "Demo request": 1.0, "Cold list": -1.1,
}  # fmt: skip
INDUSTRY = ("Manufacturing", "Retail", "Software", "Health care", "Transport", "Energy", "Public sector")
FREE_MAIL = ("gmail.com", "gmx.de", "outlook.com", "yahoo.com")
REPLIES = (
    "What would it cost for a team of forty?",
    "Sounds good. Can we talk next week?",
    "Thanks, received!",
    "I am out of the office until next Monday and have limited access to my e-mail.",
    "No, thank you. We went with somebody else.",
    "Please take me off your list.",
    "My colleague who asked has left; I do not know anything about this.",
    "Können Sie uns ein Angebot schicken?",
)
CALLS = (
    "", "Left a message.", "Wants a demo for the whole team.", "Asked for a quote by Friday.", "",
    "Budget is decided in spring.", "Spoke to the assistant; call again tomorrow.",
    "Interested, sends us their requirements.",
)  # fmt: skip
