"""All tables, by one import: whoever needs the whole of the metadata takes `Base` from here."""

from service.accounts import store as accounts
from service.consent import store as consent
from service.contact import store as contact
from service.database import Base
from service.jobs import store as jobs
from service.ops import store as ops
from service.policy import store as policy
from service.rights import store as rights

__all__ = ["Base", "accounts", "consent", "contact", "jobs", "ops", "policy", "rights"]
