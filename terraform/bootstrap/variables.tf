variable "bucket" {
  description = "The name of the state bucket."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be 3 to 63 lower-case letters, digits and hyphens."
  }
}

variable "repository" {
  description = "The GitHub repository whose workflows plan and deploy, as owner/name; null where CI is elsewhere."
  type        = string
  default     = null

  validation {
    condition     = var.repository == null ? true : can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository must be owner/name; a wildcard would let others in."
  }
}

variable "branch" {
  description = "The branch that is deployed from."
  type        = string
  default     = "main"

  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.branch))
    error_message = "branch must be the name of one branch; a wildcard would let others in."
  }
}

variable "environments" {
  description = "The GitHub environments whose jobs may deploy; their protection rules say from which branch and after whose review."
  type        = list(string)
  default     = ["dev", "prod"]

  validation {
    condition     = alltrue([for name in var.environments : can(regex("^[a-z][a-z0-9]{0,15}$", name)) && name != "ci"])
    error_message = "environments must be names of environments as the root takes them, and none of them ci."
  }
}

variable "require_tls" {
  description = "Whether the bucket rejects plain HTTP. Set to false only for an endpoint on loopback."
  type        = bool
  default     = true
}
