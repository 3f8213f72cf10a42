"""The values that pass between the stages, and pure functions on them.

The core is the mapping `Attribute -> Value`. An absent attribute is unmanaged, `None` clears it, any other
value sets it. Declared and live incidents hold the same mapping, so diffs, renderers and payload builders
are loops over it.

Files contain names (`Reference`); the resolver turns them into entities with IDs (`Entity`).
"""

from importer.model.account import Account as Account
from importer.model.account import CatalogEntry as CatalogEntry
from importer.model.account import Catalogue as Catalogue
from importer.model.account import CustomField as CustomField
from importer.model.account import IncidentType as IncidentType
from importer.model.account import Needs as Needs
from importer.model.account import Status as Status
from importer.model.account import StatusPage as StatusPage
from importer.model.account import User as User
from importer.model.account import Workflow as Workflow
from importer.model.incidents import Answer as Answer
from importer.model.incidents import Incident as Incident
from importer.model.incidents import LiveChild as LiveChild
from importer.model.incidents import LiveIncident as LiveIncident
from importer.model.incidents import earliest as earliest
from importer.model.incidents import number_of as number_of
from importer.model.memory import Binding as Binding
from importer.model.memory import ChildHistory as ChildHistory
from importer.model.memory import Memory as Memory
from importer.model.memory import Remembered as Remembered
from importer.model.memory import SentStep as SentStep
from importer.model.memory import Unanswered as Unanswered
from importer.model.plan import Adopt as Adopt
from importer.model.plan import Adopted as Adopted
from importer.model.plan import Applied as Applied
from importer.model.plan import Blocked as Blocked
from importer.model.plan import Change as Change
from importer.model.plan import Create as Create
from importer.model.plan import Failed as Failed
from importer.model.plan import FieldChange as FieldChange
from importer.model.plan import Input as Input
from importer.model.plan import MonthCount as MonthCount
from importer.model.plan import NoOp as NoOp
from importer.model.plan import NotAttempted as NotAttempted
from importer.model.plan import Origin as Origin
from importer.model.plan import Outcome as Outcome
from importer.model.plan import Pending as Pending
from importer.model.plan import Plan as Plan
from importer.model.plan import Scope as Scope
from importer.model.plan import Unknown as Unknown
from importer.model.plan import Unmanaged as Unmanaged
from importer.model.plan import Update as Update
from importer.model.policy import Ignored as Ignored
from importer.model.policy import OnDrift as OnDrift
from importer.model.policy import Policy as Policy
from importer.model.values import CHILD_FIELDS as CHILD_FIELDS
from importer.model.values import CREATE_ONLY_FIELDS as CREATE_ONLY_FIELDS
from importer.model.values import WRITE_ONLY_FIELDS as WRITE_ONLY_FIELDS
from importer.model.values import Attachment as Attachment
from importer.model.values import Attribute as Attribute
from importer.model.values import Attributes as Attributes
from importer.model.values import Child as Child
from importer.model.values import Diagnostic as Diagnostic
from importer.model.values import Entity as Entity
from importer.model.values import Field as Field
from importer.model.values import FollowUp as FollowUp
from importer.model.values import Kind as Kind
from importer.model.values import Link as Link
from importer.model.values import Location as Location
from importer.model.values import Membership as Membership
from importer.model.values import NewOption as NewOption
from importer.model.values import Packed as Packed
from importer.model.values import PostmortemDocument as PostmortemDocument
from importer.model.values import Reference as Reference
from importer.model.values import Scalar as Scalar
from importer.model.values import Severity as Severity
from importer.model.values import StatusPageIncident as StatusPageIncident
from importer.model.values import StatusPageUpdate as StatusPageUpdate
from importer.model.values import TimelineItem as TimelineItem
from importer.model.values import Value as Value
