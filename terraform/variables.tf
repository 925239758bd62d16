variable "environment" {
  description = "A short name that every resource carries: dev, prod, ..."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,15}$", var.environment))
    error_message = "environment must be at most 16 lower-case letters and digits, a letter first."
  }
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region such as us-east-1."
  }
}

variable "cidr" {
  description = "The network's addresses, a /16."
  type        = string
  default     = "10.40.0.0/16"
}

variable "zones" {
  description = "Letters of the availability zones, two at least; the streamer lives in the first."
  type        = list(string)
  default     = ["a", "b"]

  validation {
    condition     = length(var.zones) >= 2 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones must name two different zones at least."
  }
}

variable "shards" {
  description = "Shards of each stream (1 MB/s each); 0 lets Kinesis scale by itself, at a higher price."
  type        = number
  default     = 0

  validation {
    condition     = var.shards >= 0 && var.shards <= 200 && floor(var.shards) == var.shards
    error_message = "shards must be a whole number from 0 to 200."
  }
}

variable "retention_hours" {
  description = "Hours that the streams keep records: how long Firehose may be away."
  type        = number
  default     = 24

  validation {
    condition     = var.retention_hours >= 24 && var.retention_hours <= 8760
    error_message = "retention_hours must be 24 to 8760."
  }
}

variable "raw_days" {
  description = "Days that raw posts are kept; the networks' rules on deleted posts bound it."
  type        = number
  default     = 30

  validation {
    condition     = var.raw_days >= 2
    error_message = "raw_days must be 2 at least: rankings read the arrivals of the last two days."
  }
}

variable "release" {
  description = "The published version of Postrank that the streamer's host installs while none was deployed to it."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+([a-z0-9.]*)$", var.release))
    error_message = "release must be a version such as 0.1.0."
  }
}

variable "streamer_config" {
  description = "Path of the streamer.toml that the host gets."
  type        = string
}

variable "instance_type" {
  description = "The streamer's instance type, arm64."
  type        = string
  default     = "t4g.small"

  validation {
    condition     = can(regex("^[a-z]+[0-9]+g[a-z]*\\.", var.instance_type))
    error_message = "instance_type must be an arm64 (Graviton) type such as t4g.small."
  }
}

variable "image_id" {
  description = "The streamer's image; null takes the newest Amazon Linux 2023."
  type        = string
  default     = null
}

variable "instance_tags" {
  description = "Tags of the streamer's instance beside its name."
  type        = map(string)
  default     = {}
}

variable "state_gib" {
  description = "GiB of the streamer's state volume: the spool (1 GiB unless set), the journal and room to spare."
  type        = number
  default     = 8

  validation {
    condition     = var.state_gib >= 4
    error_message = "state_gib must be 4 at least."
  }
}

variable "warehouse_class" {
  description = "The class of the Postgres that takes exported rankings, such as db.t4g.micro; null for none."
  type        = string
  default     = null
}

variable "protected" {
  description = "Whether data outlives a terraform destroy: buckets must be empty, the database is kept."
  type        = bool
  default     = true
}

variable "require_tls" {
  description = "Whether the buckets refuse plain HTTP. Only an endpoint on loopback has a reason to say false."
  type        = bool
  default     = true
}

variable "alarm_emails" {
  description = "Addresses that hear of alarms and of the budget; each has to confirm once."
  type        = set(string)
  default     = []
}

variable "daily_scan_gib" {
  description = "GiB that Athena may scan in a day before the alarm."
  type        = number
  default     = 500

  validation {
    condition     = var.daily_scan_gib > 0
    error_message = "daily_scan_gib must be positive."
  }
}

variable "monthly_usd" {
  description = "The month's budget in US dollars, or null for none."
  type        = number
  default     = null
}
