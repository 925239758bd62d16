variable "name" {
  description = "What the database and its parts are called."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "cidr" {
  description = "The network's addresses; Postgres answers them alone."
  type        = string
}

variable "subnets" {
  description = "Ids of private subnets, in two zones at least."
  type        = list(string)

  validation {
    condition     = length(var.subnets) >= 2
    error_message = "RDS wants subnets in two availability zones at least."
  }
}

variable "instance_class" {
  description = "The class of the database's instance."
  type        = string
}

variable "protected" {
  description = "Whether the database stands in two zones, cannot be deleted by mistake, and leaves a snapshot."
  type        = bool
}
