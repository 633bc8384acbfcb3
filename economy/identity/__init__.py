"""Who there is: customers, staff, and the actor of every action.

A *customer* is a number in the books and a unique name; it owns lots and contributed
keys. A *member of staff* has a role. An *actor* is either of them doing something: the
first argument of every action, checked in the economy's own functions::

    lin = add_staff(unit, "Lin", "business")
    require(lin, "business")              # passes
    require(lin, "admin")                 # Forbidden, and says whom to ask
"""

from economy.identity.actors import (
    STAFF_ROLES,
    Actor,
    Role,
    StaffRole,
    embedded_admin,
    require,
    system_user,
)
from economy.identity.customers import (
    Customer,
    add_customer,
    customer,
    customer_by_id,
    customers,
    ensure_customers,
)
from economy.identity.names import is_name
from economy.identity.staff import add_staff, staff, staff_member

__all__ = [
    "STAFF_ROLES",
    "Actor",
    "Customer",
    "Role",
    "StaffRole",
    "add_customer",
    "add_staff",
    "customer",
    "customer_by_id",
    "customers",
    "embedded_admin",
    "ensure_customers",
    "is_name",
    "require",
    "staff",
    "staff_member",
    "system_user",
]
